package ethics

import "encoding/json"

func decode(raw []byte, to any) error { return json.Unmarshal(raw, to) }
