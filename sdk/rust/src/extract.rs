//! What handlers can take as arguments, and the functions that can be handlers.

use crate::{
    Conditions, Context, Headers, Log, Now, Outgoing, Pagination, Problem, Random, Secrets, Store,
    respond::IntoResponse, response::Response,
};

/// An argument of a handler, made from the request. If it cannot be made, the problem is the response, and the handler is not called.
///
/// ```
/// use tenon::{App, Context, FromRequest, Problem};
///
/// /// A caller from the administrators' network.
/// struct Administrator;
///
/// impl FromRequest for Administrator {
///     fn from_request(context: &Context) -> Result<Self, Problem> {
///         match context.client_address.as_deref() {
///             Some(address) if address.starts_with("10.0.7.") => Ok(Self),
///             _ => Err(Problem::forbidden("only administrators may do this")),
///         }
///     }
/// }
///
/// let client = App::new().delete("/cache", |_: Administrator| ()).test();
/// assert_eq!(client.delete("/cache").send().status(), 403);
/// assert_eq!(client.delete("/cache").client_address("10.0.7.9").send().status(), 204);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler",
    label = "not made from a request",
    note = "arguments are `Path<T>`, `Query<T>`, `Json<T>`, `Store`, `Context` and others that implement `FromRequest`"
)]
pub trait FromRequest: Sized {
    /// The media type of the content that it reads, if it does: OPTIONS names that of PATCH in `Accept-Patch`.
    const CONTENT_TYPE: Option<&'static str> = None;

    /// Makes the argument.
    fn from_request(context: &Context) -> Result<Self, Problem>;
}

/// An argument that a request may lack: `Option` of it is an argument, too. What is there but wrong is a problem nevertheless.
pub trait FromRequestOptional: Sized {
    /// Makes the argument, if the request has it.
    fn from_request_optional(context: &Context) -> Result<Option<Self>, Problem>;
}

impl<T: FromRequestOptional> FromRequest for Option<T> {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        T::from_request_optional(context)
    }
}

/// The problem as a value, for a handler that wants to answer it itself.
impl<T: FromRequest> FromRequest for Result<T, Problem> {
    const CONTENT_TYPE: Option<&'static str> = T::CONTENT_TYPE;

    fn from_request(context: &Context) -> Result<Self, Problem> {
        Ok(T::from_request(context))
    }
}

macro_rules! parts_of_the_context {
    ($($part:ident: |$context:ident| $value:expr;)*) => {
        $(
            impl FromRequest for $part {
                fn from_request($context: &Context) -> Result<Self, Problem> {
                    $value
                }
            }
        )*
    };
}

parts_of_the_context! {
    Context: |context| Ok(context.clone());
    Conditions: |context| Self::of(context);
    Headers: |context| Ok(context.headers.clone());
    Log: |context| Ok(context.log());
    Now: |context| Ok(context.now());
    Outgoing: |context| Ok(context.outgoing());
    Pagination: |context| Self::of(context);
    Random: |context| Ok(context.random());
    Secrets: |context| Ok(context.secrets());
    Store: |context| Ok(context.store());
}

/// A function of up to six arguments, each [`FromRequest`], that returns [`IntoResponse`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a handler",
    label = "not a handler",
    note = "a handler is a function of up to six arguments, each `FromRequest`, whose result is `IntoResponse`, such as `Result<Json<T>, Problem>`"
)]
pub trait Handler<Arguments>: 'static {
    /// The media type of the content that its arguments read.
    const CONTENT_TYPE: Option<&'static str> = None;

    /// Makes the arguments in their order, calls the function and makes the response of its result.
    fn call(&self, context: &Context) -> Response;
}

/// The first that there is.
const fn first<const N: usize>(types: [Option<&'static str>; N]) -> Option<&'static str> {
    let mut index = 0;
    while index < N {
        if types[index].is_some() {
            return types[index];
        }
        index += 1;
    }
    None
}

macro_rules! handlers {
    ($(($($argument:ident),*))*) => {
        $(
            impl<F, R, $($argument),*> Handler<($($argument,)*)> for F
            where
                F: Fn($($argument),*) -> R + 'static,
                R: IntoResponse,
                $($argument: FromRequest,)*
            {
                const CONTENT_TYPE: Option<&'static str> = first([$($argument::CONTENT_TYPE),*]);

                #[expect(non_snake_case, reason = "an argument is named after its type")]
                #[allow(clippy::allow_attributes, unused_variables, reason = "without arguments the context is only for the result")]
                fn call(&self, context: &Context) -> Response {
                    $(
                        let $argument = match $argument::from_request(context) {
                            Ok(argument) => argument,
                            Err(problem) => return problem.into_response(context),
                        };
                    )*
                    self($($argument),*).into_response(context)
                }
            }
        )*
    };
}

handlers! {
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, G)
}

impl<F, R> Handler<()> for F
where
    F: Fn() -> R + 'static,
    R: IntoResponse,
{
    fn call(&self, context: &Context) -> Response {
        self().into_response(context)
    }
}
