// QR codes as modules and as SVG. The same text gives the same code.
#include "case/qr.h"

#include "case/letter.h"

#include <qrencode.h>

Status qr_make(Str text, Arena *a, Qr *ret, Error *err) {
    if (text.len == 0 || text.len > QR_TEXT_MAX || memchr(text.ptr, 0, text.len)) {
        return error_set(err, INVALID, S("qr"), "二维码的内容为空或过长");
    }
    const char *z = arena_cstr(a, text);
    uint8_t *modules = arena_alloc_raw(a, 177 * 177); // before the library allocates: version 40
    QRcode *code = QRcode_encodeString8bit(z, 0, QR_ECLEVEL_M);
    if (!code) return error_set(err, BROKEN, S("qr"), "无法生成二维码");
    size_t count = (size_t)code->width * (size_t)code->width;
    for (size_t i = 0; i < count; i++) modules[i] = code->data[i] & 1;
    *ret = (Qr){.size = code->width, .modules = modules};
    QRcode_free(code);
    return OK;
}

// One path of runs. No title: the page says beside it what it is, so it is hidden from readers.
Status qr_svg(Str text, Arena *a, Str *ret, Error *err) {
    Qr qr;
    Status st = qr_make(text, a, &qr, err);
    if (st != OK) return st;
    int32_t full = qr.size + 2 * QR_QUIET;
    Buf out = buf_make(a, 8192, 1 << 20);
    buf_printf(&out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qr\" viewBox=\"0 0 %d %d\" "
               "shape-rendering=\"crispEdges\" aria-hidden=\"true\" focusable=\"false\">"
               "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path fill=\"#000\" d=\"",
               full, full, full, full);
    for (int32_t y = 0; y < qr.size; y++) {
        const uint8_t *row = qr.modules + (size_t)y * (size_t)qr.size;
        for (int32_t x = 0, run; x < qr.size; x += run) {
            for (run = 1; x + run < qr.size && row[x + run] == row[x];) run++;
            if (!row[x]) continue;
            buf_printf(&out, "M%d %dh%dv1h-%dz", x + QR_QUIET, y + QR_QUIET, run, run);
        }
    }
    buf_lit(&out, "\"/></svg>");
    *ret = buf_view(&out);
    return OK;
}
