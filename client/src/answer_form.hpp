// How the server is to write the values of an answer.
#pragma once

namespace lockstep::detail {

enum class answer_form {
    text,   // as rows and fields read it
    binary, // see binary_field.hpp
};

} // namespace lockstep::detail
