//! Limits on what a component makes the compiler do: its parts are counted before anything is compiled.
//!
//! A compiler needs some kilobytes for each function and each declaration, however short it is in the file, so the size of a file bounds
//! neither memory nor time. The counts are those that the file claims; the compiler refuses a file that contains less.

use super::load_error::LoadError;
use wasmparser::{FunctionBody, Parser, Payload, SectionLimited};

/// Functions, over all modules. A JavaScript engine with its library has about 20,000.
const FUNCTIONS_MAX: u64 = 40_000;
/// The code of one function. An interpreter's main loop has about 100 KiB.
const FUNCTION_BYTES_MAX: u64 = 1 << 20;
/// The code of all functions.
const CODE_BYTES_MAX: u64 = 32 << 20;
/// Local variables of all functions: a few bytes can declare 50,000 for one.
const LOCALS_MAX: u64 = 2_000_000;
/// Modules and components inside the component. A program with one module for each linked library has about 60.
const MODULES_MAX: u64 = 256;
/// Types, imports, exports, globals, segments, instances, and everything else that is declared one by one.
const DECLARATIONS_MAX: u64 = 200_000;
/// The text of the declarations: a single type may be as long as its section.
const DECLARATION_BYTES_MAX: u64 = 4 << 20;

/// The counts so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    functions: u64,
    function_bytes: u64,
    code_bytes: u64,
    locals: u64,
    modules: u64,
    declarations: u64,
    declaration_bytes: u64,
}

/// Refuses a component that exceeds one of the limits.
pub(super) fn check(component: &[u8]) -> Result<(), LoadError> {
    count(component).map(|_| ())
}

fn count(component: &[u8]) -> Result<Counts, LoadError> {
    let mut counts = Counts::default();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| LoadError::Compile(error.to_string()))?;
        counts.add(&payload);
        counts.check()?;
    }
    Ok(counts)
}

impl Counts {
    fn add(&mut self, payload: &Payload<'_>) {
        match payload {
            Payload::FunctionSection(section) => {
                self.functions += u64::from(section.count());
                self.declare(section);
            }
            Payload::CodeSectionEntry(body) => {
                let bytes = body.range().len() as u64;
                self.function_bytes = self.function_bytes.max(bytes);
                self.code_bytes += bytes;
                self.locals = self.locals.saturating_add(locals(body));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => self.modules += 1,
            Payload::TypeSection(section) => self.declare(section),
            Payload::ImportSection(section) => self.declare(section),
            Payload::TableSection(section) => self.declare(section),
            Payload::MemorySection(section) => self.declare(section),
            Payload::TagSection(section) => self.declare(section),
            Payload::GlobalSection(section) => self.declare(section),
            Payload::ExportSection(section) => self.declare(section),
            Payload::InstanceSection(section) => self.declare(section),
            Payload::CoreTypeSection(section) => self.declare(section),
            Payload::ComponentInstanceSection(section) => self.declare(section),
            Payload::ComponentAliasSection(section) => self.declare(section),
            Payload::ComponentTypeSection(section) => self.declare(section),
            Payload::ComponentCanonicalSection(section) => self.declare(section),
            Payload::ComponentImportSection(section) => self.declare(section),
            Payload::ComponentExportSection(section) => self.declare(section),
            // Their bytes are kept unchanged, or need little more memory.
            Payload::DataSection(section) => self.declarations += u64::from(section.count()),
            Payload::ElementSection(section) => self.declarations += u64::from(section.count()),
            // The others occur once, are counted above, or are ignored by the compiler.
            _ => {}
        }
    }

    fn declare<T>(&mut self, section: &SectionLimited<'_, T>) {
        self.declarations += u64::from(section.count());
        self.declaration_bytes += section.range().len() as u64;
    }

    fn check(&self) -> Result<(), LoadError> {
        let bounds = [
            ("functions", self.functions, FUNCTIONS_MAX),
            (
                "bytes in one function",
                self.function_bytes,
                FUNCTION_BYTES_MAX,
            ),
            ("bytes of code", self.code_bytes, CODE_BYTES_MAX),
            ("local variables", self.locals, LOCALS_MAX),
            ("modules and components", self.modules, MODULES_MAX),
            ("declarations", self.declarations, DECLARATIONS_MAX),
            (
                "bytes of declarations",
                self.declaration_bytes,
                DECLARATION_BYTES_MAX,
            ),
        ];
        match bounds.into_iter().find(|(_, count, max)| count > max) {
            None => Ok(()),
            Some((what, count, max)) => Err(LoadError::TooLarge { what, count, max }),
        }
    }
}

/// The number of locals that a function claims; the compiler refuses an invalid function.
fn locals(body: &FunctionBody<'_>) -> u64 {
    let Ok(declarations) = body.get_locals_reader() else {
        return 0;
    };
    let counts = declarations.into_iter().map_while(Result::ok);
    counts.map(|(count, _)| u64::from(count)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number in the binary format, in five bytes.
    fn number(value: usize) -> Vec<u8> {
        let group = |shift: usize| ((value >> shift) & 0x7f) as u8;
        let mut bytes: Vec<u8> = (0..4).map(|index| group(7 * index) | 0x80).collect();
        bytes.push(group(28));
        bytes
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id][..], &number(content.len()), content].concat()
    }

    /// A component with modules of repeated function bodies: for each module, how often `body` occurs.
    fn component(modules: usize, functions: usize, body: &[u8]) -> Vec<u8> {
        let repeat = |item: &[u8]| [number(functions), item.repeat(functions)].concat();
        let module = [
            &b"\0asm\x01\0\0\0"[..],
            &section(1, &[1, 0x60, 0, 0]),
            &section(3, &repeat(&[0])),
            &section(10, &repeat(&[&number(body.len())[..], body].concat())),
        ]
        .concat();
        [
            b"\0asm\x0d\0\x01\0",
            &section(1, &module).repeat(modules)[..],
        ]
        .concat()
    }

    const EMPTY: [u8; 2] = [0, 0x0b];

    fn told(component: &[u8]) -> String {
        check(component).unwrap_err().to_string()
    }

    #[test]
    fn what_takes_memory_is_counted_over_all_modules() {
        let counts = count(&component(2, 10, &EMPTY)).unwrap();
        assert_eq!((counts.functions, counts.modules), (20, 2));
        assert_eq!((counts.function_bytes, counts.code_bytes), (2, 40));
        let max = FUNCTIONS_MAX as usize;
        assert!(check(&component(1, max, &EMPTY)).is_ok());
        assert!(check(&component(2, max / 2, &EMPTY)).is_ok());
        assert_eq!(
            told(&component(2, max / 2 + 1, &EMPTY)),
            "the component has 40002 functions, 40000 are allowed"
        );
        let long = vec![0x01; FUNCTION_BYTES_MAX as usize + 1];
        assert!(told(&component(1, 1, &long)).contains("bytes in one function"));
        let long = vec![0x01; FUNCTION_BYTES_MAX as usize];
        assert!(told(&component(1, 33, &long)).contains("bytes of code"));
        assert!(told(&component(257, 1, &EMPTY)).contains("modules and components"));
        // One group of 50,000 integers.
        let variables = [&[1][..], &number(50_000), &[0x7f, 0x0b]].concat();
        assert!(told(&component(1, 41, &variables)).contains("2050000 local variables"));
        let types = section(7, &[number(300_000), vec![0x73; 300_000]].concat());
        let declared = [&b"\0asm\x0d\0\x01\0"[..], &types].concat();
        assert!(told(&declared).contains("300000 declarations"));
        let names = section(7, &[number(1), vec![0x73; 5 << 20]].concat());
        let declared = [&b"\0asm\x0d\0\x01\0"[..], &names].concat();
        assert!(told(&declared).contains("bytes of declarations"));
    }

    #[test]
    fn what_is_no_component_is_told_and_never_panics() {
        let whole = component(2, 3, &EMPTY);
        for end in 0..whole.len() {
            let _ = count(&whole[..end]);
        }
        assert!(matches!(
            check(&whole[..whole.len() - 1]),
            Err(LoadError::Compile(_))
        ));
    }
}
