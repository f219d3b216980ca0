//! Tests on real engines: every test on every engine.
//!
//! `LONGSHORE_TEST_ENGINES` or `LONGSHORE_TEST_HOST` names the engines; unless one of them is set, those of
//! `cargo xtask engine up` are used. A test is named `ENGINE::TOPIC::WHAT_HOLDS`; arguments select tests by parts of their
//! names, as with any other test. What an engine can't do stands in `exceptions`.

mod archive;
mod attach;
mod build;
#[cfg(feature = "build")]
mod build_folder;
mod checkpoints;
mod commit;
mod conformance;
#[cfg(feature = "tls")]
mod contexts;
#[cfg(feature = "archive")]
mod copy;
mod create;
mod credentials;
mod environments;
mod events;
mod exceptions;
mod exec;
mod faults;
mod follow;
mod grpc;
mod guards;
mod harness;
mod health;
mod images;
mod inspect;
mod journal;
mod large;
mod lifecycle;
mod list;
mod load;
mod login;
mod logs;
mod memory;
mod networks;
mod plugins;
mod port;
mod process;
mod prune;
mod races;
mod ready;
mod registry;
mod replace;
mod request;
mod resuming;
mod run;
mod save;
mod service_logs;
mod services;
mod session;
#[cfg(feature = "ssh")]
mod ssh;
mod stats;
mod support;
mod swarm;
mod system;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod tool;
mod unknown;
mod update;
mod volumes;
mod wait;
#[cfg(feature = "websocket")]
mod websocket;

use std::process::ExitCode;

fn main() -> ExitCode {
    let works = [
        guards::WORK,
        load::WORK,
        memory::WORK,
        #[cfg(feature = "ssh")]
        ssh::WORK,
        #[cfg(feature = "build")]
        build_folder::WORK,
    ];
    if let Some(code) = process::work(&works) {
        return code;
    }
    // Those that take longest begin first.
    let topics = [
        wait::tests(),
        large::tests(),
        resuming::tests(),
        conformance::tests(),
        #[cfg(feature = "build")]
        build_folder::tests(),
        registry::tests(),
        memory::tests(),
        archive::tests(),
        attach::tests(),
        build::tests(),
        checkpoints::tests(),
        commit::tests(),
        #[cfg(feature = "tls")]
        contexts::tests(),
        #[cfg(feature = "archive")]
        copy::tests(),
        create::tests(),
        credentials::tests(),
        environments::tests(),
        events::tests(),
        exec::tests(),
        faults::tests(),
        follow::tests(),
        grpc::tests(),
        guards::tests(),
        health::tests(),
        images::tests(),
        inspect::tests(),
        lifecycle::tests(),
        list::tests(),
        load::tests(),
        login::tests(),
        logs::tests(),
        networks::tests(),
        plugins::tests(),
        port::tests(),
        prune::tests(),
        ready::tests(),
        replace::tests(),
        request::tests(),
        run::tests(),
        save::tests(),
        service_logs::tests(),
        services::tests(),
        session::tests(),
        #[cfg(feature = "ssh")]
        ssh::tests(),
        stats::tests(),
        swarm::tests(),
        system::tests(),
        tcp::tests(),
        #[cfg(feature = "tls")]
        tls::tests(),
        unknown::tests(),
        update::tests(),
        volumes::tests(),
        #[cfg(feature = "websocket")]
        websocket::tests(),
    ];
    harness::main(topics.into_iter().flatten().collect())
}
