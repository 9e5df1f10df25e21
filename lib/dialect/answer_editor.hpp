#pragma once
/// Reads the text of an answer and changes it where it stands: in the data of one event, or in a whole body. Every byte
/// that is no changed text is kept. Knows texts, where they stand, and what must not tell of them after a change; must not
/// know who wants them changed, nor how events are framed.
///
/// What an editor sees:
/// - Every text a client could show, decoded, in the order of the bytes. What a server says twice in one event (`reasoning`
///   and `reasoning_details`) is one text with two places: it is read once and changed in both.
/// - Empty texts are not told, but for a tool call that begins without arguments.
/// - Whole code points, always. A stream is cut between tokens, so that what a reader takes for one character may be spread
///   over several events: a base letter and its accent, a flag, a family of emoji joined by U+200D.
/// - A server that cuts between the halves of a surrogate pair (`"\ud83d"`, then `"\ude00"`): U+FFFD in each event. Unchanged,
///   both go on as they came, and a client that joins them gets its emoji; a text that is changed says U+FFFD.
/// - Bytes of one character spread over two events are no UTF-8 and therefore no JSON: an error.
/// What it does not see: audio and its transcript, annotations, what a server's own tools found, members nobody knows.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/usage.hpp"
#include "http/event_reader.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect {

/// What a text adds to. The order is that of sluice::Channel, whose room stands above this one.
enum class TextChannel : std::uint8_t { kText, kReasoning, kToolArguments, kRefusal };

/// The part of an answer a text belongs to: the texts of one address, one behind the other, are what it says.
struct TextAddress {
  std::uint32_t choice = 0;
  TextChannel channel = TextChannel::kText;
  std::uint32_t tool_index = 0;       ///< kToolArguments: which call of the choice, from 0 in the order they began
  friend bool operator==(const TextAddress&, const TextAddress&) = default;
};

/// One text of an event or a whole answer. Lifetime of its views: the AnswerTexts it is in.
struct AnswerText {
  TextAddress address = {};
  std::string_view tool_name = {};    ///< kToolArguments: in the text a call begins with
  std::string_view text = {};         ///< decoded
  bool finishes = false;              ///< the finish reason of its choice stands in the same event
  /// What it shall say instead; empty takes it out. To be set by whoever reads; what equals `text` changes nothing.
  std::optional<std::string> replacement = std::nullopt;

  [[nodiscard]] bool changed() const noexcept { return replacement && *replacement != text; }
  [[nodiscard]] std::string_view final_text() const noexcept { return replacement ? std::string_view(*replacement) : text; }
};

/// The data of one event, or a whole body, and the texts in it. It has bytes of its own: it may be kept while a hook waits
/// or an event is held back, be moved, and be written later, in any order.
/// Cost: its memory is used again by the next read(); assign {} to give it back.
class AnswerTexts {
 public:
  [[nodiscard]] std::vector<AnswerText>& texts() noexcept { return texts_; }
  [[nodiscard]] const std::vector<AnswerText>& texts() const noexcept { return texts_; }
  /// As it came.
  [[nodiscard]] std::string_view data() const noexcept;
  /// An event that tells an end: a finish reason, the usage alone, the end of the stream. Text that is emitted when the
  /// answer has been judged goes before it, so it is held back until then. Texts may stand in it: what is emitted to one of
  /// their addresses is append()ed, or AnswerEditor::split() parts them from the end beforehand.
  [[nodiscard]] bool ends() const noexcept { return ends_; }
  /// False: what write() would give is data().
  [[nodiscard]] bool changed() const noexcept;
  /// Puts `more` behind the last text of that address. False: there is none.
  [[nodiscard]] bool append(const TextAddress& to, std::string_view more);

  // For the dialects, which fill it.

  /// What giving the event does to the answer a caller has, in the dialect's own numbers: for gave(). All 0: nothing.
  struct Step {
    std::uint8_t what = 0;
    bool flag = false;
    std::int64_t index = 0, part = 0, number = 0;
  };
  [[nodiscard]] Step& step() noexcept { return step_; }
  [[nodiscard]] const Step& step() const noexcept { return step_; }

  /// How a place is written once one of its texts has changed.
  enum class Form : std::uint8_t {
    kString,  ///< what its texts say, as a JSON string
    kJson,    ///< arguments that came as JSON: they stay JSON while that is what they say, else they become a string
    kEmpty,   ///< `""`: another place says it all
    kNull,    ///< `null`: it told the old text in other words
  };
  /// A range of the data that changes with the texts [first, first + count): kNull with any of them, the others with those
  /// of the first one's channel.
  struct Place {
    std::size_t begin = 0, end = 0;
    std::size_t first = 0, count = 0;
    Form form = Form::kString;
    bool always = false;                            ///< written whether or not its texts have changed
    // A range of no length: what is put in as the first thing of an object or a list. Literals.
    std::string_view before = {}, behind = {};      ///< around the value; no comma
    bool alone = false;                             ///< nothing else stands in there
  };

  /// Forgets what was read and copies `data`, with the padding a parser needs.
  void take(std::string_view data);
  /// Parses data(). A lone surrogate is read as U+FFFD; offsets and lengths are those of data() all the same.
  [[nodiscard]] Result<json::Document> parse() const;
  void set_ends() noexcept { ends_ = true; }
  /// The text of a string of parse()'s document, or of what stands between two quotes. Lifetime: as AnswerText.
  [[nodiscard]] std::string_view keep(const json::Value& string);
  [[nodiscard]] std::string_view keep(std::size_t begin, std::size_t end, bool escaped);
  /// A value of parse()'s document as it stands in data().
  [[nodiscard]] std::string_view raw(const json::Value& value) const noexcept { return data().substr(value.offset(), value.length()); }
  /// A new text, with the place it stands in.
  void put(AnswerText text, const Place& place);
  [[nodiscard]] std::vector<Place>& places() noexcept { return places_; }
  /// Appends the data from `begin` to `end`, the changed places in it as they are now.
  void write(std::string& out, std::size_t begin, std::size_t end) const;

 private:
  void write_value(std::string& out, const Place& place) const;

  // Vectors, whose memory stays where it is when they are moved.
  std::vector<char> bytes_;    // the data and its padding
  std::vector<char> decoded_;  // of strings with escapes; room for all of them at once, so that views live
  std::vector<AnswerText> texts_;
  std::vector<Place> places_;  // by where they begin
  Step step_;
  bool ends_ = false;
};

/// The `type` an added event begins with: its name where the dialect names events by it. Lifetime: `data`.
[[nodiscard]] std::string_view added_type(std::string_view data) noexcept;

/// Text was added where the answer has no place for it.
[[nodiscard]] Error no_place(const TextAddress& to);

/// Why a stream ends before the end its server wrote, or without one. Lifetime: the call it is given to.
struct EarlyEnd {
  const Error& error;
  bool filtered = false;               ///< a judgement ended it, for which dialects have a reason of their own; else a failure
  std::string_view provider_text = {}; ///< as ErrorContext has it
  const chat::Usage& usage;            ///< so far; empty where nothing is known
  http::Framing framing = http::Framing::kSse;
};

/// Takes answers apart into texts and puts them together again. One per attempt: it knows which tool call a fragment
/// belongs to, and how this stream looks. It decides nothing and holds nothing back.
/// Example: if (Status read = editor->read(event.data, texts); !read) return read;
///          for (AnswerText& text : texts.texts()) text.replacement = redacted(text.address, text.text);
///          texts.changed() ? editor->write(texts, out) : pass(event);
class AnswerEditor {
 public:
  virtual ~AnswerEditor() = default;
  /// The texts of one event's data, or of a whole body. Events are read in order, each once; what is no text and no end
  /// (a ping, a role, Azure's first chunk) has no texts and goes on as it came.
  /// Errors: kUpstreamInvalidAnswer for data that is no JSON object, nests too deep or is no UTF-8: what cannot be read
  /// is never passed on unread.
  [[nodiscard]] virtual Status read(std::string_view data, AnswerTexts& out) = 0;
  /// Appends the data with its texts as they are now. Where a text of a choice has changed, what tells the old one in other
  /// words (its `logprobs`, its token numbers) is null.
  virtual void write(const AnswerTexts& texts, std::string& out) = 0;

  // Streams.

  /// Writes an event that ends() and has texts as two: `said`, the texts without any end, which need not wait; and `end`,
  /// the rest without them, which has to. What is said once (usage, filter results) stands in `end` alone.
  [[nodiscard]] virtual Status split(const AnswerTexts& texts, std::string& said, std::string& end);
  /// Appends the data of an event of its own that adds `text`: id, model and the like as the last event stated them, the
  /// call addressed as this stream addresses it. To go before the end that is held back.
  /// Errors: kPluginError for a tool call the answer does not have, or a channel its operation does not have.
  [[nodiscard]] virtual Status add_event(const TextAddress& to, std::string_view text, std::string& out);
  /// Appends `data`, the event that was added last, with its framing: without a name, or with what the dialect calls it and
  /// puts around it.
  virtual void frame_added(std::string_view data, http::Framing framing, std::string& out);
  /// This event is the caller's now: as write() has it where its texts have changed, else as it came. Told in their order, of
  /// every event but those that an early end leaves out; what add_event() made is given when it is made.
  virtual void gave(const AnswerTexts& texts);
  /// Appends the end of a stream that ends early, framing included, where it hangs on what has been given (blocks to be
  /// stopped, items to be said again): what has been read and not given leaves no trace in it. False: it hangs on nothing, and
  /// the dialect's own encoder writes it.
  [[nodiscard]] virtual bool end_early(const EarlyEnd& end, std::string& out);

  // Whole answers.

  /// Puts `text` behind the last text of that address, or where one could stand: for text emitted when all were read.
  /// Errors: kPluginError for a choice, a tool call or a channel the answer does not have.
  [[nodiscard]] virtual Status add_text(const TextAddress& to, std::string_view text, AnswerTexts& answer);
};

}  // namespace sluice::dialect
