//! An auth recipe in words: what is sent where. Secrets and settings appear by their names; fixed text of a recipe is
//! not shown, because it may be a credential that all accounts share.

use super::markdown::{code, codes, text};
use crate::contract::manifest::{
    AuthMethod, AuthRecipe, HmacHash, LoginBody, LoginExchange, Oauth2Client, Placement, TokenLifetime,
};
use crate::template;

/// What a recipe does, in Markdown. `is_secret` tells a secret's name from a setting's.
pub(super) fn recipe(recipe: &AuthRecipe, is_secret: &dyn Fn(&str) -> bool) -> String {
    let words = Words { is_secret };
    let place = placement(&recipe.placement);
    match &recipe.method {
        AuthMethod::Basic(basic) => format!(
            "Each request carries the user name ({}) and the password ({}), in base64, {place}.",
            words.value(&basic.username),
            words.value(&basic.password),
        ),
        AuthMethod::ApiKey(key) => format!("Each request carries a key ({}) {place}.", words.value(key)),
        AuthMethod::Login(login) => {
            format!("{} Each request carries the token {place}.", words.login(login))
        }
        AuthMethod::Oauth2ClientCredentials(client) => {
            format!("{} Each request carries the token {place}.", words.oauth2(client, "client credentials", ""))
        }
        AuthMethod::Oauth2Refresh(refresh) => {
            let token = format!(" and the refresh token ({})", words.value(&refresh.refresh_token));
            format!("{} Each request carries the token {place}.", words.oauth2(&refresh.client, "refresh", &token))
        }
        AuthMethod::HmacSigned(signature) => {
            let algorithm = match signature.algorithm {
                HmacHash::Sha256Hex => "HMAC-SHA-256 in hexadecimal",
                HmacHash::Sha256Base64 => "HMAC-SHA-256 in base64",
            };
            let time = signature
                .timestamp_header
                .as_deref()
                .map(|header| format!(" The time of signing stands in the header {}.", code(header)))
                .unwrap_or_default();
            format!(
                "Each request is signed over {} ({algorithm}, key: {}); it carries the signature {place}.{time}",
                code(&signature.message),
                words.value(&signature.key),
            )
        }
    }
}

fn placement(placement: &Placement) -> String {
    match placement {
        Placement::Header(header) if header.prefix.trim().is_empty() => {
            format!("in the header {}", code(&header.name))
        }
        Placement::Header(header) => format!("in the header {}, behind {}", code(&header.name), code(&header.prefix)),
        Placement::Query(parameter) => format!("in the query parameter {}", code(parameter)),
        Placement::JsonBody(field) => format!("in the field {} of its JSON body", code(field)),
    }
}

struct Words<'a> {
    is_secret: &'a dyn Fn(&str) -> bool,
}

impl Words<'_> {
    /// Where a value comes from: the secrets and settings that its template names.
    fn value(&self, value: &str) -> String {
        match template::fields(value) {
            Ok(fields) if !fields.is_empty() => {
                let named = |name: &&str| {
                    format!("{} {}", if (self.is_secret)(name) { "secret" } else { "setting" }, code(name))
                };
                fields.iter().map(named).collect::<Vec<_>>().join(" and ")
            }
            _ => "a fixed text".into(),
        }
    }

    fn login(&self, login: &LoginExchange) -> String {
        let sent = match login.body {
            LoginBody::Json => "a JSON object",
            LoginBody::Form => "a form",
        };
        let fields: Vec<String> =
            login.fields.iter().map(|(name, value)| format!("{} ({})", code(name), self.value(value))).collect();
        let fields = if fields.is_empty() { "no field".to_owned() } else { fields.join(", ") };
        let lifetime = match &login.lifetime {
            TokenLifetime::Seconds(seconds) => format!("lives {seconds} seconds"),
            TokenLifetime::Answer(pointer) => format!("lives as many seconds as {} says", code(pointer)),
        };
        format!(
            "The host logs in by `POST` to {} with {sent}: {fields}. The answer has the token at {}; it {lifetime} and is \
             renewed {} seconds before that.",
            code(&login.url),
            code(&login.token),
            login.margin_seconds,
        )
    }

    fn oauth2(&self, client: &Oauth2Client, grant: &str, further: &str) -> String {
        let scope = match client.scope.as_str() {
            "" => String::new(),
            scope => format!(", scope {}", codes(scope.split_whitespace())),
        };
        format!(
            "The host fetches a token by OAuth 2 {} from {}, with the client's id ({}) and its secret ({}){further}{scope}.",
            text(grant),
            code(&client.token_url),
            self.value(&client.client_id),
            self.value(&client.client_secret),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::manifest::{BasicCredential, HeaderPlacement, HmacSignature, Oauth2RefreshToken};

    fn told(method: AuthMethod, placement: Placement) -> String {
        recipe(&AuthRecipe { name: "x".into(), method, placement }, &|name| name == "password" || name == "key")
    }

    fn header(name: &str, prefix: &str) -> Placement {
        Placement::Header(HeaderPlacement { name: name.into(), prefix: prefix.into() })
    }

    #[test]
    fn each_method_says_what_is_sent_where() {
        let basic = BasicCredential { username: "{username}".into(), password: "{password}".into() };
        assert_eq!(
            told(AuthMethod::Basic(basic), header("Authorization", "Basic ")),
            "Each request carries the user name (setting `username`) and the password (secret `password`), in base64, in \
             the header `Authorization`, behind `Basic`."
        );
        assert_eq!(
            told(AuthMethod::ApiKey("{key}".into()), Placement::Query("api_key".into())),
            "Each request carries a key (secret `key`) in the query parameter `api_key`."
        );
        let mut login = LoginExchange {
            url: "/login".into(),
            body: LoginBody::Json,
            fields: vec![("user".into(), "{username}".into()), ("pass".into(), "{password}".into())],
            token: "/token".into(),
            lifetime: TokenLifetime::Seconds(900),
            margin_seconds: 120,
        };
        assert_eq!(
            told(AuthMethod::Login(login.clone()), header("X-Auth-Token", "")),
            "The host logs in by `POST` to `/login` with a JSON object: `user` (setting `username`), `pass` (secret \
             `password`). The answer has the token at `/token`; it lives 900 seconds and is renewed 120 seconds before \
             that. Each request carries the token in the header `X-Auth-Token`."
        );
        login.body = LoginBody::Form;
        login.lifetime = TokenLifetime::Answer("/expires_in".into());
        let text = told(AuthMethod::Login(login), Placement::JsonBody("token".into()));
        for part in ["a form:", "as many seconds as `/expires_in` says", "in the field `token` of its JSON body"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let client = Oauth2Client {
            token_url: "https://id.example/token".into(),
            client_id: "{username}".into(),
            client_secret: "{password}".into(),
            scope: "read write".into(),
        };
        let text = told(AuthMethod::Oauth2ClientCredentials(client.clone()), header("Authorization", "Bearer "));
        for part in ["from `https://id.example/token`", "its secret (secret `password`), scope `read`, `write`."] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let refresh = Oauth2RefreshToken { client, refresh_token: "{key}".into() };
        let text = told(AuthMethod::Oauth2Refresh(refresh), header("Authorization", "Bearer "));
        assert!(text.contains("and the refresh token (secret `key`)"), "{text}");
        let signed = HmacSignature {
            key: "{key}".into(),
            message: "{method}\n{path}".into(),
            algorithm: HmacHash::Sha256Hex,
            timestamp_header: Some("X-Time".into()),
        };
        let text = told(AuthMethod::HmacSigned(signed), header("X-Signature", ""));
        for part in ["key: secret `key`", "`{method} {path}`", "in the header `X-Time`"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_credential_written_into_the_recipe_itself_is_not_shown() {
        for key in ["hunter2", "hunter2-{key}"] {
            let text = told(AuthMethod::ApiKey(key.into()), header("X-Key", ""));
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn names_from_the_recipe_cannot_become_markup() {
        let text = told(AuthMethod::ApiKey("{a`</b>|}".into()), Placement::Query("x` <img>".into()));
        assert!(!text.contains("</b>") && !text.contains("<img>") && !text.contains('|'), "{text}");
    }
}
