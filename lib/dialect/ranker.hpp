#pragma once
/// Dialects of servers that rank and embed and do nothing else (Voyage, Jina): one code, a row of names each. Private to the
/// room. Source: Voyage's and Jina's API references; recorded traffic where it says more.

#include <string>
#include <string_view>

#include "dialect/dialect.hpp"

namespace sluice::dialect::ranker_parts {

/// How a dialect of this kind names what all of them have.
struct Words {
  std::string_view name;           ///< `voyage`; also where its own members are kept (chat::Extra)
  std::string_view top_n;          ///< how many documents are wanted
  std::string_view truncation;     ///< whether long ones are cut
  std::string_view results;        ///< the list of an answer
  bool text_documents;             ///< documents are strings, asked and answered; else objects with a text in them as well
  bool counts_always;              ///< a client reads the tokens off every ranking: 0 where nobody has counted
  std::string_view dimensions, encoding, purpose;  ///< of embeddings
  std::string_view query, document;                ///< what the purpose says for a query and for a document
};

// ranker_request.cpp
[[nodiscard]] Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view,
                             const Words& words);
[[nodiscard]] Result<chat::Request> decode_request(const json::Document& document, Operation operation, const Words& words);
[[nodiscard]] std::string encode_request(const chat::Request& request, const Words& words, chat::LossReport& loss);

// ranker_answer.cpp
[[nodiscard]] Result<chat::Message> decode_ranking(std::string_view body, const Asked& asked, const Words& words);
[[nodiscard]] std::string encode_ranking(const chat::Message& answer, const AnswerForm& form, const Words& words);
[[nodiscard]] std::unique_ptr<AnswerTap> make_tap();

}  // namespace sluice::dialect::ranker_parts
