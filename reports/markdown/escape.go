package markdown

// Plain makes text of anyone stay text in a Markdown page, on one line.
func Plain(s string) string { return plain(s) }

// Code shows a value of anyone as it is, in a code span that it cannot end.
func Code(s string) string { return code(s) }
