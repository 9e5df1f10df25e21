#pragma once
/// What each token class weighs. Written by `bash benchmarks/tokens/run.sh --fit`; change nothing by hand.
/// Knows numbers alone; must not know texts, models or why a class is one.
///
/// 147 families of text, 1337 windows of 2 KB fitted, 1337 others held out; the texts' digest is c0ecb928fe05f22f.
/// Error on the held-out windows:
///
/// | vocabulary | mean abs | p95 | worst low | worst high |
/// |---|---|---|---|---|
/// | o200k | 6.0% | 17.1% | -19% | +43% |
/// | cl100k | 5.9% | 17.0% | -19% | +44% |

#include <array>
#include <cstdint>

#include "chat/token_classes.hpp"

namespace sluice::chat::tokens {

/// Weights are in so many parts of a token.
inline constexpr std::uint64_t kWeightUnit = 1024;

/// The longest token of either vocabulary, in bytes.
inline constexpr std::uint64_t kLongestToken = 128;

/// No held-out window had fewer tokens than so many per cent of its estimate.
inline constexpr std::uint64_t kLeastPercent = 69;

inline constexpr std::array<std::uint16_t, kTokenClasses> kWeightsO200k = {
    775,  // kWord 0.757
    292,  // kLetter7To12 0.285
    0,  // kLetterBeyond12 0.000
    561,  // kHump 0.548
    1869,  // kShortHump 1.825
    610,  // kRarePair 0.596
    731,  // kLatin1 0.714
    801,  // kLatinExtended 0.782
    8,  // kLatinAdditional 0.008
    1731,  // kCombiningMark 1.690
    1185,  // kDigitGroup 1.157
    1228,  // kDigitsBehindSpace 1.199
    711,  // kPunctuation 0.694
    259,  // kPunctuationMore 0.253
    256,  // kPunctuationRepeated 0.250
    1487,  // kNewline 1.452
    784,  // kNewlineBehindMark 0.766
    979,  // kSpaceRun 0.956
    1390,  // kLongRun 1.357
    147,  // kForeignWord 0.144
    384,  // kGreek 0.375
    282,  // kCyrillic 0.275
    1412,  // kCyrillicOther 1.379
    245,  // kCyrillicExtended 0.239
    305,  // kArmenian 0.298
    437,  // kHebrew 0.427
    368,  // kArabic 0.359
    361,  // kDevanagari 0.353
    371,  // kBengali 0.362
    591,  // kGurmukhi 0.577
    413,  // kGujarati 0.403
    352,  // kTamil 0.344
    487,  // kTelugu 0.476
    426,  // kKannada 0.416
    351,  // kMalayalam 0.343
    623,  // kSinhala 0.608
    301,  // kGeorgian 0.294
    722,  // kHangul 0.705
    3184,  // kJamo 3.109
    443,  // kThai 0.433
    1925,  // kLao 1.880
    1554,  // kTibetan 1.518
    577,  // kBurmese 0.563
    648,  // kKhmer 0.633
    2041,  // kEthiopic 1.993
    777,  // kKana 0.759
    829,  // kHan 0.810
    962,  // kTypographic 0.939
    1374,  // kCjkPunctuation 1.342
    311,  // kBoxDrawing 0.304
    856,  // kOtherTwoByte 0.836
    2005,  // kOtherThreeByte 1.958
    1933,  // kAstral 1.888
    1024,  // kBrokenByte 1.000
};

inline constexpr std::array<std::uint16_t, kTokenClasses> kWeightsCl100k = {
    830,  // kWord 0.811
    335,  // kLetter7To12 0.327
    0,  // kLetterBeyond12 0.000
    328,  // kHump 0.320
    1193,  // kShortHump 1.165
    958,  // kRarePair 0.936
    1291,  // kLatin1 1.261
    1522,  // kLatinExtended 1.486
    961,  // kLatinAdditional 0.938
    2208,  // kCombiningMark 2.156
    1182,  // kDigitGroup 1.154
    1118,  // kDigitsBehindSpace 1.092
    643,  // kPunctuation 0.628
    192,  // kPunctuationMore 0.188
    256,  // kPunctuationRepeated 0.250
    836,  // kNewline 0.816
    493,  // kNewlineBehindMark 0.481
    1214,  // kSpaceRun 1.186
    1417,  // kLongRun 1.384
    1492,  // kForeignWord 1.457
    800,  // kGreek 0.781
    273,  // kCyrillic 0.267
    2492,  // kCyrillicOther 2.434
    3137,  // kCyrillicExtended 3.063
    1961,  // kArmenian 1.915
    888,  // kHebrew 0.867
    585,  // kArabic 0.571
    941,  // kDevanagari 0.919
    1197,  // kBengali 1.169
    1687,  // kGurmukhi 1.647
    1759,  // kGujarati 1.718
    1401,  // kTamil 1.368
    1863,  // kTelugu 1.819
    1881,  // kKannada 1.837
    1710,  // kMalayalam 1.670
    1944,  // kSinhala 1.898
    1977,  // kGeorgian 1.931
    816,  // kHangul 0.797
    2839,  // kJamo 2.772
    1010,  // kThai 0.986
    2233,  // kLao 2.181
    2144,  // kTibetan 2.094
    2156,  // kBurmese 2.105
    1730,  // kKhmer 1.689
    3048,  // kEthiopic 2.977
    1037,  // kKana 1.013
    1295,  // kHan 1.265
    1061,  // kTypographic 1.036
    1260,  // kCjkPunctuation 1.230
    376,  // kBoxDrawing 0.367
    944,  // kOtherTwoByte 0.922
    1346,  // kOtherThreeByte 1.314
    3084,  // kAstral 3.012
    1024,  // kBrokenByte 1.000
};

}  // namespace sluice::chat::tokens
