#include "form.h"
#include <ctype.h>
#include <event2/buffer.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes in place, which only ever shrinks. */
static bool decode(char *text, char plus)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (*from == '%') {
            int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);

            if (low < 0 || (high | low) == 0)
                return false;
            *to++ = (char)(high << 4 | low);
            from += 2;
        } else {
            *to++ = *from == '+' ? plus : *from;
        }
    }
    *to = '\0';
    return true;
}

bool emu_form_parse(struct emu_form *form, const char *text, size_t length)
{
    char *rest, *name;

    *form = (struct emu_form){0};
    if (!length)
        return true;
    form->text = malloc(length + 1);
    if (!form->text)
        return false;
    memcpy(form->text, text, length);
    form->text[length] = '\0';
    if (strlen(form->text) != length)
        return false;
    for (rest = form->text; (name = strsep(&rest, "&"));) {
        char *value = strchr(name, '=');

        if (value)
            *value++ = '\0';
        else
            value = name + strlen(name);
        if (!*name)
            continue;
        if (form->n == EMU_FORM_MAX || !decode(name, ' ') || !decode(value, ' '))
            return false;
        form->pairs[form->n++] = (struct emu_pair){name, value};
    }
    return true;
}

void emu_form_free(struct emu_form *form)
{
    for (size_t i = 0; i < form->n; i++)
        OPENSSL_cleanse((char *)form->pairs[i].value, strlen(form->pairs[i].value));
    free(form->text);
    *form = (struct emu_form){0};
}

bool emu_name_is(const char *given, const char *name)
{
    if (strcmp(given, name) == 0)
        return true;
    for (; *name; name++, given++) {
        char expected = *name == '_' ? (char)toupper((unsigned char)*++name) : *name;

        if (*given != expected)
            return false;
    }
    return !*given;
}

const char *emu_form_get(const struct emu_form *form, const char *name)
{
    for (size_t i = 0; i < form->n; i++)
        if (emu_name_is(form->pairs[i].name, name))
            return form->pairs[i].value;
    return NULL;
}

bool emu_form_allows(const struct emu_form *form, const char *name, const char *value)
{
    bool any = true;

    for (size_t i = 0; i < form->n; i++) {
        if (!*form->pairs[i].value || !emu_name_is(form->pairs[i].name, name))
            continue;
        if (value && strcmp(form->pairs[i].value, value) == 0)
            return true;
        any = false;
    }
    return any;
}

bool emu_percent_decode(char *text)
{
    return decode(text, '+');
}

bool emu_percent_encode(struct evbuffer *out, const char *text)
{
    for (; *text; text++) {
        bool plain = isalnum((unsigned char)*text) || strchr("-._~", *text);
        int rc = plain ? evbuffer_add(out, text, 1)
                       : evbuffer_add_printf(out, "%%%02X", (unsigned char)*text);

        if (rc < 0)
            return false;
    }
    return true;
}
