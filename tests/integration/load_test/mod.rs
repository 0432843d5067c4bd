//! `vas test`: the command, against a server whose behaviour is known exactly.

mod command;
mod faults;
mod metrics;
mod outputs;
mod pipeline;
mod quick;
mod secrets;
mod websockets;
