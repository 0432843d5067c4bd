//! `vas test`: the load engine against a server whose behaviour is known exactly, and the command itself.

mod command;
mod engine;
mod faults;
mod metrics;
mod outputs;
mod pipeline;
mod secrets;
mod server;
mod truth;
mod websockets;
