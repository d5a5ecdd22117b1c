# SPDX-License-Identifier: Apache-2.0
"""RFC 8259 row by row: what a strict reader takes (TAKEN) and refuses (REFUSED), as (section, name, bytes).

Beyond the standard's grammar it refuses what the standard only warns of, because two readers could differ: a name twice in one object
(section 4), text that is no UTF-8 or begins with a byte order mark (8.1), lone surrogates (8.2), and depth (9).
"""
TAKEN, REFUSED = [], []
DEPTH = 16
VALUES = 20000


def taken(section, name, *documents):
    TAKEN.extend((section, name if len(documents) == 1 else f"{name} {number}", given) for number, given in enumerate(documents))


def refused(section, name, *documents):
    REFUSED.extend((section, name if len(documents) == 1 else f"{name} {number}", given) for number, given in enumerate(documents))


# -- 2: grammar
taken("2", "each kind of value alone", b"null", b"true", b"false", b"0", b'""', b"[]", b"{}")
taken("2", "white space is these four, anywhere between tokens", b" \t\n\r[ \t\n\r1 \t\n\r, \t\n\r2 \t\n\r] \t\n\r", b'\n{\r"a"\t: 1\n,\r"b"\t: 2 }\r\n')
refused("2", "no text", b"", b" ", b"\n", b"\t\r\n ")
refused("2", "another byte as white space", *[bytes([code]) + b"{}" for code in [*range(0x00, 0x09), 0x0b, 0x0c, *range(0x0e, 0x20), 0x7f]])
refused("2", "another byte as white space inside", *[b"[" + bytes([code]) + b"]" for code in (0x00, 0x0b, 0x0c, 0x1f, 0x7f)])
refused("2", "Unicode's white space", b"\xc2\xa0{}", b"{}\xc2\x85", b"[\xe2\x80\xa8]", b"[1\xe3\x80\x80]", b"\xe2\x81\xa0{}", b"\xe2\x80\x8b[]")
refused("2", "more than one value", b"{}{}", b"[][]", b"1 2", b"null null", b'""""', b"{} []", b"1\n2", b"[]x", b"{},", b"[],[]", b"{};", b"{}\x00", b"[]\x00[]", b"nullnull")
refused("2", "comments", b"//\n{}", b"{}//", b"/**/{}", b"{/**/}", b'{"a":/*1*/1}', b"[1,//\n2]", b"#\n{}", b"{}#", b"<!---->{}", b"--\n{}")
refused("2", "closers that do not fit", b"]", b"}", b"[}", b"{]", b"[1}", b'{"a":1]', b"[[]", b"[]]", b"{{}", b"{}}", b'{"a":[}]', b"[{]}", b"(1)", b"<1>")
refused("2", "an end too early", b"[", b"{", b"[1", b"[1,", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'"', b'"a', b'"\\', b'"\\u', b'"\\u00', b'"\\ud83d\\', b"t", b"tru",
        b"-", b"1.", b"1e", b"1e+", b"[[[[", b'[{"a":[{', b"n", b"[\"")

# -- 3: the three words
refused("3", "other spellings of the words", b"True", b"TRUE", b"False", b"Null", b"NULL", b"nul", b"nulll", b"truE", b"fals", b"undefined", b"None", b"nil", b"yes", b"no", b"on",
        b"t", b"true1", b"true_", b"truefalse", b"\xef\xbd\x94rue", b"[true,fals]", b"nan", b"NaN", b"Infinity", b"-Infinity", b"inf", b"-NaN", b"[+Infinity]")

# -- 4: objects
taken("4", "an object", b'{"a":1}', b'{"a":1,"b":[{}],"c":{"d":null}}', b'{"":0}', b'{"a":{"a":{"a":1}}}', b'[{"a":1},{"a":1}]', b'{"a":1,"A":2}')
taken("4", "names that are not the same", b'{"a":1,"a ":2}', b'{"a":1,"a\\u0000":2}', b'{"\xc3\xa9":1,"e\xcc\x81":2}', b'{"a":1,"\\u0041":2}', b'{"k":1,"\xe2\x84\xaa":2}',
      b'{"__proto__":1,"constructor":2}', b'{"1":1,"01":2}')
refused("4", "a name twice", b'{"a":1,"a":1}', b'{"a":1,"a":2}', b'{"a":1,"b":2,"a":3}', b'{"":1,"":2}', b'{"x":{"a":1,"a":2}}', b'[{"a":1,"a":2}]', b'{"a":{},"a":{}}')
refused("4", "a name twice once unescaped", b'{"a":1,"\\u0061":2}', b'{"\\u0061":1,"a":2}', b'{"/":1,"\\/":2}', b'{"\\n":1,"\\u000a":2}', b'{"\xc3\xa9":1,"\\u00e9":2}',
        b'{"\\u00E9":1,"\\u00e9":2}', b'{"\xf0\x9f\x98\x80":1,"\\ud83d\\ude00":2}', b'{"\\u0000":1,"\\u0000":2}', b'{"\\"":1,"\\u0022":2}', b'{"\\\\":1,"\\u005c":2}')
refused("4", "a name twice among many", b"{" + b",".join(b'"k%d":0' % n for n in range(40)) + b',"k17":1}', b"{" + b",".join(b'"k%d":0' % n for n in range(300)) + b',"\\u006b5":1}')
refused("4", "names that are no strings", b"{a:1}", b"{'a':1}", b"{1:1}", b"{null:1}", b"{true:1}", b"{[]:1}", b"{{}:1}", b"{:1}", b"{\"a\"b:1}", b"{`a`:1}", b"{$a:1}")
refused("4", "colons and commas of objects", b'{"a"}', b'{"a" 1}', b'{"a"::1}', b'{"a":}', b'{"a":,}', b'{"a",1}', b'{"a"=1}', b'{"a"=>1}', b'{"a":1,}', b'{,"a":1}', b'{"a":1,,"b":2}',
        b'{"a":1 "b":2}', b'{"a":1;"b":2}', b"{,}", b'{"a":1,"b"}', b'{"a":1:2}', b'{"a":"b":"c"}', b'{"a" "b"}', b'{"a":1,"b":}', b'{...{}}')

# -- 5: arrays
taken("5", "an array", b"[1]", b'[1,"a",null,true,[],{}]', b"[[],[[]]]", b"[ ]", b"[" + b"0," * 1000 + b"0]")
refused("5", "commas of arrays", b"[1,]", b"[,1]", b"[,]", b"[1,,2]", b"[1 2]", b"[1;2]", b'["a" "b"]', b"[1:2]", b'["a":1]', b"[\"a\",\n4\n,1,,]", b"[x", b"[1,\n1\n,1", b"[*]", b"[<null>]")

# -- 6: numbers
taken("6", "a number", b"0", b"-0", b"1", b"-1", b"10", b"1234567890", b"0.0", b"-0.0", b"0.5", b"1.50", b"1e0", b"1E0", b"1e+0", b"1e-0", b"0e0", b"0e+1", b"0E-1", b"1.5e3", b"1.5E+30",
      b"1e007", b"9007199254740993", b"18446744073709551616", b"1e9999", b"-1e9999", b"1e-9999", b"0.1" + b"0" * 300 + b"1", b"9" * 400, b"-0e-0", b"100E100", b"[20e1,-123,0.4e006]")
refused("6", "no number", b"+1", b"++1", b"-", b"--1", b"- 1", b"-+1", b"01", b"00", b"-01", b"-00", b"012", b"0123.5", b"1.", b".5", b"-.5", b"1..2", b"1.2.3", b"1.e1", b".e1", b"1e", b"1E",
        b"1e+", b"1e-", b"1e++1", b"1e1.5", b"1e1e1", b"e1", b"0e", b"0e+-1", b"1ee2", b"1+2", b"1-2", b"0x0", b"0x1F", b"0b1", b"0o7", b"1_000", b"1,000", b"1'000", b"1 000", b"1f", b"1L", b"1n", b"1%",
        b"$1", b"1/2", b"\xef\xbc\x91", b"\xd9\xa1", b"\xe2\x88\x92" b"1", b"1\x00", b"2.e+3", b"[-2.]", b"[1e\xef\xbc\x91]", b"-a", b"[0.3e+]", b"[-1x]", b"[1a]", b"0.3e", b"9.e+", b"[- 1]")

# -- 7: strings
taken("7", "every escape", b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'"\\u0000"', b'"\\u001f"', b'"\\u0022"', b'"\\uABCD"', b'"\\uabcd"', b'"\\uFfFf"', b'"\\u0061\\u30af\\u30EA\\u30b9"', b'"\\\\u0061"', b'"\\\\\\""')
taken("7", "every other character stands for itself", b'"/"', b'"\x7f"', b'"\xc2\x80"', b'"\xe2\x80\xa8\xe2\x80\xa9"', b'"\xc2\xa0"', b'"\xef\xbb\xbf"', b'"\xf4\x8f\xbf\xbf"', b'"\xef\xbf\xbf"',
      b'"\xf0\x9f\x98\x80"', b'"\xe0\xa0\x80"', b'"\xed\x9f\xbf"', b'"\xee\x80\x80"', b'"' + b"a" * 2000 + b'"', b'" "', b'"//"', b'"/**/"', b'"<script>"', b'"\'"', b'"\xe2\x80\xae"')
taken("8.2", "surrogates in pairs", b'"\\ud83d\\ude00"', b'"\\uD800\\uDC00"', b'"\\uDBFF\\uDFFF"', b'"\\ud83dx"'[:0] + b'"a\\ud83d\\ude00b"', b'"\\uD83D\\uDE00\\uD83D\\uDE00"')
refused("7", "control characters", *[b'"a' + bytes([code]) + b'b"' for code in range(0x20)])
refused("7", "control characters in a name", b'{"a\nb":1}', b'{"\x00":1}', b'{"\x1f":1}')
refused("7", "unknown escapes", *[b'"\\' + bytes([code]) + b'"' for code in range(0x80) if chr(code) not in '"\\/bfnrtu'])
refused("7", "escapes that are cut or malformed", b'"\\u"', b'"\\u0"', b'"\\u00"', b'"\\u000"', b'"\\u00g0"', b'"\\u 041"', b'"\\u+041"', b'"\\u-041"', b'"\\u0x41"', b'"\\u{41}"', b'"\\u\xef\xbc\x90041"',
        b'"\\U00000041"', b'"\\x41"', b'"\\0"', b'"\\101"', b'"\\\xc3\xa9"', b'"\\', b'"\\"', b'"\\\\\\"', b'"a\\')
refused("7", "other quotes", b"'a'", b"`a`", b"\xe2\x80\x9ca\xe2\x80\x9d", b'"a\'', b"'a\"", b"a", b'"""', b'\\"a"', b"\\u0061", b'"a""', b'""a""', b"&quot;a&quot;")

# -- 8: strings and characters
refused("8.1", "byte order marks and other encodings", b"\xef\xbb\xbf{}", b"\xef\xbb\xbf", b"\xef\xbb{}", b"\xef\xbb\xbf\xef\xbb\xbf{}", b"{\xef\xbb\xbf}", b"{}\xef\xbb\xbf", b"\xff\xfe{\x00}\x00", b"\xfe\xff\x00{\x00}",
        b"{\x00}\x00", b"\x00{\x00}", b"\x00\x00\x00{\x00\x00\x00}", b"[\x00\"\x00]\x00", b"+AHs-}")
refused("8.1", "text that is no UTF-8", *[b'"' + bad + b'"' for bad in (
    b"\x80", b"\xbf", b"\xc0\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xc2", b"\xc3\x28", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe2\x82", b"\xe2\x28\xa1", b"\xed\xa0\x80", b"\xed\xbf\xbf",
    b"\xed\xa0\xbd\xed\xb8\x80", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80",
    b"\xfe", b"\xff", b"\xe9", b"a\xc3", b"\xc3\xc3\xa9", b"\x8f\xc3\xa9")])
refused("8.1", "bad UTF-8 outside a string and in a name", b"\xff", b"[\xe9]", b'{"\xff":1}', b'{"a":1}\xc3', b"\x80{}")
refused("8.2", "lone surrogates", b'"\\ud800"', b'"\\udbff"', b'"\\udc00"', b'"\\udfff"', b'"\\uD800x"', b'"x\\uDC00"', b'"\\ud800\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\n"', b'"\\ud83d\\u0041"',
        b'"\\ud83d\\\\ude00"', b'"\\ud83d ude00"', b'"\\ud83d\\ude0"', b'"\\ud83d\\x"', b'{"\\ud800":1}', b'"\\ud83d\\ude00\\ud83d"', b'"\\uD800\\uD800\\uDC00\\uDC00"', b'"\xed\xa0\xbd\\ude00"',
        b'"\\ud83d\xed\xb8\x80"')

# -- 9: limits
taken("9", "the deepest", b"[" * DEPTH + b"]" * DEPTH, b'{"a":' * (DEPTH - 1) + b"{}" + b"}" * (DEPTH - 1), b"[{\"a\":" * (DEPTH // 2) + b"1" + b"}]" * (DEPTH // 2))
refused("9", "one deeper", b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), b'{"a":' * DEPTH + b"{}" + b"}" * DEPTH, b"[{\"a\":" * (DEPTH // 2) + b"[]" + b"}]" * (DEPTH // 2))
refused("9", "much deeper", b"[" * 4000, b'{"a":' * 800, b"[" * 2000 + b"]" * 2000, b'[{"":' * 600)

# Too long for a request; for the probe alone.
LONG_TAKEN = [("9", "as many values as are taken", b"[" + b"0," * (VALUES - 2) + b"0]"), ("9", "a long string", b'"' + b"a" * 1000000 + b'"')]
LONG_REFUSED = [("9", "one value more", b"[" + b"0," * (VALUES - 1) + b"0]"), ("9", "a hundred thousand brackets", b"[" * 100000), ("9", "and objects", b'{"a":' * 100000),
                ("4", "a name twice among thousands", b"{" + b",".join(b'"%d":0' % n for n in range(9000)) + b',"4711":0}')]
