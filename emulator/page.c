#include "page.h"
#include <event2/buffer.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--page:#eef1f6;--card:#fff;--line:#dfe4ec;--text:#172033;"
    "--soft:#5b6780;--accent:#3b5bdb;--accent-hover:#2f4ac0;--on-accent:#fff;--tint:#e8edff;"
    "--good:#12805c;--good-tint:#dcf5ea;--bad:#b42318;--bad-tint:#fde7e4}"
    "@media(prefers-color-scheme:dark){:root{--page:#0d1117;--card:#161c26;--line:#2a3342;"
    "--text:#e8ecf4;--soft:#98a4b8;--accent:#8aa2ff;--accent-hover:#a3b6ff;--on-accent:#0d1330;"
    "--tint:#212b4a;--good:#5ed3a4;--good-tint:#12332a;--bad:#ff9b90;--bad-tint:#3c1d1b}}"
    "*{box-sizing:border-box;margin:0}"
    "body{min-height:100vh;display:flex;flex-direction:column;align-items:center;"
    "justify-content:center;gap:16px;padding:16px;background:var(--page);color:var(--text);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif}"
    "main{width:100%;max-width:440px;padding:32px;background:var(--card);"
    "border:1px solid var(--line);border-radius:16px;"
    "box-shadow:0 1px 2px rgba(15,23,42,.06),0 16px 40px -12px rgba(15,23,42,.18)}"
    ".icon{display:flex;align-items:center;justify-content:center;width:56px;height:56px;"
    "margin:0 auto 16px;border-radius:16px;background:var(--tint);color:var(--accent)}"
    ".icon.good{background:var(--good-tint);color:var(--good)}"
    ".icon.bad{background:var(--bad-tint);color:var(--bad)}"
    "h1{font-size:22px;line-height:1.3;font-weight:650;text-align:center;letter-spacing:-.01em;"
    "overflow-wrap:anywhere}"
    "p{margin-top:6px;color:var(--soft);text-align:center;overflow-wrap:anywhere}"
    "dl{margin-top:20px;border:1px solid var(--line);border-radius:12px}"
    "dl div{display:flex;gap:16px;justify-content:space-between;padding:10px 16px;font-size:15px}"
    "dl div+div{border-top:1px solid var(--line)}"
    "dt{color:var(--soft);flex:none}dd{font-weight:600;text-align:right;overflow-wrap:anywhere;"
    "min-width:0}"
    "h2{margin-top:20px;font-size:14px;font-weight:600;color:var(--soft)}"
    "ul{margin-top:6px;padding:0;list-style:none}"
    "li{position:relative;padding:5px 0 5px 32px}"
    "li::before{content:'';position:absolute;left:2px;top:8px;width:18px;height:18px;"
    "border-radius:50%;background:var(--tint)}"
    "li::after{content:'';position:absolute;left:8px;top:11px;width:5px;height:9px;"
    "border:solid var(--accent);border-width:0 2px 2px 0;transform:rotate(42deg)}"
    "form{display:flex;gap:12px;margin-top:24px}"
    "button{flex:1;padding:12px 16px;border:1px solid var(--line);border-radius:10px;"
    "background:var(--card);color:var(--text);font:inherit;font-weight:600;cursor:pointer;"
    "transition:background .12s,border-color .12s}"
    "button:hover{background:var(--page)}"
    "button.primary{border-color:var(--accent);background:var(--accent);color:var(--on-accent)}"
    "button.primary:hover{border-color:var(--accent-hover);background:var(--accent-hover)}"
    "button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}"
    "footer{max-width:440px;color:var(--soft);font-size:13px;text-align:center}"
    "@media(max-width:480px){main{padding:28px 22px 24px}dl div{flex-direction:column;gap:0}"
    "dd{text-align:left}}"
    "@media(prefers-reduced-motion:reduce){button{transition:none}}";

static void put(struct emu_request *request, const char *text, size_t length)
{
    if (evbuffer_add(request->json.out, text, length) < 0)
        request->json.failed = true;
}

static void put_escaped(struct emu_request *request, const char *text)
{
    for (; *text; text++) {
        char entity[8];
        int length = 1;

        if (strchr("<>&\"'", *text))
            length = snprintf(entity, sizeof entity, "&#%d;", *text);
        else
            entity[0] = *text;
        put(request, entity, (size_t)length);
    }
}

void emu_page_html(struct emu_request *request, const char *format, ...)
{
    const char *rest;
    va_list args;

    va_start(args, format);
    while ((rest = strstr(format, "%s"))) {
        put(request, format, (size_t)(rest - format));
        put_escaped(request, va_arg(args, const char *));
        format = rest + 2;
    }
    va_end(args);
    put(request, format, strlen(format));
}

/* --- headers ----------------------------------------------------------------------------------- */

/* The origin of a URL, or "" when it holds anything that does not belong into a header. */
static void origin_of(char out[300], const char *url)
{
    const char *host = strstr(url, "://");
    size_t length;

    out[0] = '\0';
    if (!host)
        return;
    length = (size_t)(host + 3 - url) + strcspn(host + 3, "/?#");
    if (length < 300 && strspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789.:/[]_-") >= length)
        snprintf(out, 300, "%.*s", (int)length, url);
}

static void style_hash(char out[48])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int length = 0;

    out[0] = '\0';
    if (EVP_Digest(style, sizeof style - 1, hash, &length, EVP_sha256(), NULL) == 1)
        EVP_EncodeBlock((unsigned char *)out, hash, (int)length);
}

/* Browsers hold a redirect that answers a form to form-action, too. */
void emu_page_allow_target(struct emu_request *request, const char *url)
{
    char policy[512], hash[48], origin[300];

    style_hash(hash);
    origin_of(origin, url);
    snprintf(policy, sizeof policy,
             "default-src 'none'; style-src 'sha256-%s'; form-action 'self'%s%s; "
             "frame-ancestors 'none'; base-uri 'none'",
             hash, *origin ? " " : "", origin);
    emu_header(request, "Content-Security-Policy", policy);
}

/* --- pages ------------------------------------------------------------------------------------- */

void emu_page_begin(struct emu_request *request, enum emu_mood mood, const char *heading)
{
    static const struct {
        const char *name, *path;
    } icons[] = {
        [EMU_ASKING] = {"asking", "M8 11V8a4 4 0 0 1 8 0v3M6 11h12v9H6zM12 14.5v2"},
        [EMU_GOOD] = {"good", "M5 12.5l4.5 4.5L19 7.5"},
        [EMU_BAD] = {"bad", "M7 7l10 10M17 7L7 17"},
        [EMU_WAITING] = {"asking", "M12 7v5l3.5 2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 1 0 0-17"},
    };

    emu_page_html(request,
                  "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                  "<meta name=\"robots\" content=\"noindex\"><title>%s</title><style>",
                  heading);
    put(request, style, sizeof style - 1);
    emu_page_html(
        request,
        "</style></head><body><main><div class=\"icon %s\"><svg width=\"28\" height=\"28\" "
        "viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" "
        "stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\">"
        "<path d=\"%s\"/></svg></div><h1>%s</h1>",
        icons[mood].name, icons[mood].path, heading);
}

void emu_page_end(struct emu_request *request, int status)
{
    emu_page_html(request, "</main><footer>Scalekit emulator &middot; nothing here leaves this "
                           "computer</footer></body></html>");
    emu_header(request, "X-Frame-Options", "DENY");
    emu_header(request, "X-Content-Type-Options", "nosniff");
    emu_header(request, "Cache-Control", "no-store");
    emu_header(request, "Referrer-Policy", "no-referrer");
    emu_send_as(request, status, "text/html; charset=utf-8");
}
