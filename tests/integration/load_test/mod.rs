//! `vas test`: the command, against a server whose behaviour is known exactly.

mod answers;
mod catcher;
mod command;
mod cookies;
mod faults;
mod imported;
mod inputs;
mod live_page;
mod metrics;
mod outputs;
mod pipeline;
mod proxy;
mod quick;
mod routes;
mod secrets;
mod setup;
mod shopper;
mod site;
mod websockets;
