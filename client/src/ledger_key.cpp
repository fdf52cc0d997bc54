#include <lockstep/ledger.hpp>

namespace lockstep {

// Each column in quotes: so an empty text is no NULL, and a comma is part of it.
std::string ledger_key::row_text(std::initializer_list<ledger_key> columns) {
    std::string text = "(";
    for (const ledger_key &column : columns) {
        if (text.size() > 1)
            text += ',';
        text += '"';
        for (const char byte : column.text()) {
            if (byte == '"' || byte == '\\')
                text += byte;
            text += byte;
        }
        text += '"';
    }
    return text + ')';
}

} // namespace lockstep
