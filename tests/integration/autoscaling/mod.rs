//! `vas test autoscaling` on the real control plane: real load, real metrics, the real HPA controller.

mod refused;
mod scene;
mod up_and_down;
mod watched;
