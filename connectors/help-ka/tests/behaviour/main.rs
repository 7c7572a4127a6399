//! What is help-ka's own: where it is, what it exports, and that its Russian answers mean what the English ones do.

mod component;
mod manifest;
mod refusals;
mod samples;
