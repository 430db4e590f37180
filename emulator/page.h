/* page.h - self-contained HTML pages: one card in the middle, light or dark as the reader likes it. */
#ifndef EMU_PAGE_H
#define EMU_PAGE_H

#include "server.h"

enum emu_mood { EMU_ASKING, EMU_GOOD, EMU_BAD, EMU_WAITING };

/* Begins a page with its icon and heading; emu_page_end() sends it. */
void emu_page_begin(struct emu_request *request, enum emu_mood mood, const char *heading);
void emu_page_end(struct emu_request *request, int status);

/* `format` is HTML; every %s of it is escaped. */
void emu_page_html(struct emu_request *request, const char *format, ...);

/* Where the page's form may lead besides the emulator itself; only the origin counts. */
void emu_page_allow_target(struct emu_request *request, const char *url);

#endif
