// The name that the bindings import each other by.
module wit_component

go 1.25.5

require github.com/bytecodealliance/wit-bindgen v0.0.0

// In the crate of the generator; `tool bindings` copies it.
replace github.com/bytecodealliance/wit-bindgen => ./wit-bindgen
