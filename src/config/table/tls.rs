//! The settings of TLS for browsers and programs.

use super::super::value::{self, Value};
use super::{Setting, Takes};
use crate::domain::limit::door as limit;

pub(super) const CERTIFICATE_FILE: Setting = Setting {
    key: "tls.certificate_file",
    env: "GREENROOM_TLS_CERTIFICATE_FILE",
    flag: None,
    takes: Takes::Path,
    default: None,
    example: "/etc/greenroom/tls/fullchain.pem",
    brief: "File with the certificate for browsers, PEM",
    long: "First Greenroom's own certificate, then those between it and its authority. With it \
        and `tls.key_file`, `listen` speaks https and nothing else. Both are read again when \
        either changes, within a minute, and at once on SIGHUP; what cannot be used is told in the \
        log, and the former one stays. Without them, TLS is the business of a proxy.",
    set: |settings, value| {
        value::path(value).map(|path| settings.tls.certificate_file = Some(path))
    },
    get: |settings| {
        let path = settings.tls.certificate_file.as_ref();
        path.map(|path| Value::Text(path.display().to_string()))
    },
    flagged: |_| None,
};

pub(super) const KEY_FILE: Setting = Setting {
    key: "tls.key_file",
    env: "GREENROOM_TLS_KEY_FILE",
    flag: None,
    takes: Takes::Path,
    default: None,
    example: "/etc/greenroom/tls/key.pem",
    brief: "File with the private key of that certificate, PEM",
    long: "PKCS #8, PKCS #1 or SEC 1, without a passphrase. It must be the key of the first \
        certificate in `tls.certificate_file`.",
    set: |settings, value| value::path(value).map(|path| settings.tls.key_file = Some(path)),
    get: |settings| {
        let path = settings.tls.key_file.as_ref();
        path.map(|path| Value::Text(path.display().to_string()))
    },
    flagged: |_| None,
};

pub(super) const LOCAL_AUTHORITY: Setting = Setting {
    key: "tls.local_authority",
    env: "GREENROOM_TLS_LOCAL_AUTHORITY",
    flag: None,
    takes: Takes::Switch,
    default: Some("false"),
    example: "",
    brief: "Whether Greenroom makes its own certificates, for sites without an authority",
    long: "The certificate of its authority is then in `DATA/local-authority.pem`: install it on \
        the machines of your people. It is good for private networks and for `tls.names` only, so \
        that nobody could pass for another site with it, and it is the same authority on every \
        node of a cluster. Certificates are renewed by themselves.",
    set: |settings, value| {
        settings.tls.local_authority = value.switch()?;
        Ok(())
    },
    get: |settings| Some(Value::Switch(settings.tls.local_authority)),
    flagged: |_| None,
};

pub(super) const NAMES: Setting = Setting {
    key: "tls.names",
    env: "GREENROOM_TLS_NAMES",
    flag: None,
    takes: Takes::Names,
    default: Some("[]"),
    example: "",
    brief: "Names and addresses in the certificates of `tls.local_authority`",
    long: "The host of `public_url`, the address of `listen`, `localhost`, 127.0.0.1 and ::1 are \
        in them always. Give the same list on every node, and install the authority anew when you \
        add a name that is in no private network. In the environment, put commas between them.",
    set: |settings, value| {
        let texts = value.list()?;
        if texts.len() > limit::TLS_NAMES_MAX {
            let max = limit::TLS_NAMES_MAX;
            return Err(format!("{} names where {max} are allowed", texts.len()));
        }
        let names = texts.iter().map(|text| value::host(text));
        settings.tls.names = names.collect::<Result<_, _>>()?;
        Ok(())
    },
    get: |settings| Some(Value::List(settings.tls.names.clone())),
    flagged: |_| None,
};

pub(super) const REDIRECT_LISTEN: Setting = Setting {
    key: "tls.redirect_listen",
    env: "GREENROOM_TLS_REDIRECT_LISTEN",
    flag: None,
    takes: Takes::Address,
    default: None,
    example: "0.0.0.0:80",
    brief: "Address and port that send people on to https",
    long: "Readings there get a 308 to the same path of `public_url`, or of the name that was \
        asked for; writings are refused, for their secrets came in clear. Whoever speaks plain \
        http to `listen` is told the same.",
    set: |settings, value| {
        value::address(value).map(|address| settings.tls.redirect_listen = Some(address))
    },
    get: |settings| settings.tls.redirect_listen.map(|at| Value::Text(at.to_string())),
    flagged: |_| None,
};

pub(super) const HSTS_SECONDS: Setting = Setting {
    key: "tls.hsts_seconds",
    env: "GREENROOM_TLS_HSTS_SECONDS",
    flag: None,
    takes: Takes::Number(0, limit::HSTS_SECONDS_MAX),
    default: Some("31536000"),
    example: "",
    brief: "For how long browsers remember that this host speaks https only",
    long: "Sent as Strict-Transport-Security (RFC 6797) where `listen` speaks TLS, but never for \
        the name `localhost`, which other programs use too. 0 makes browsers forget it.",
    set: |settings, value| {
        settings.tls.hsts_seconds = value::number(value, 0, limit::HSTS_SECONDS_MAX)?;
        Ok(())
    },
    get: |settings| Some(Value::Number(settings.tls.hsts_seconds as i64)),
    flagged: |_| None,
};
