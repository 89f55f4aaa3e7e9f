package recording

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// OneTime is the secret of a second factor by one-time codes (RFC 6238).
type OneTime struct {
	secret  string
	options totp.ValidateOpts
}

// ReadOneTime reads a secret: in base32, as pages show it to those who cannot scan,
// or the whole otpauth address that the picture holds. The error does not repeat it.
func ReadOneTime(text string) (OneTime, error) {
	o := OneTime{options: totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}}
	o.secret = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(text))
	if strings.HasPrefix(text, "otpauth:") {
		key, err := otp.NewKeyFromURL(text)
		if err != nil || key.Type() != "totp" {
			return OneTime{}, errors.New("the otpauth address is not that of one-time codes by time (totp)")
		}
		o.secret = strings.ToUpper(key.Secret())
		o.options.Period, o.options.Digits, o.options.Algorithm = uint(key.Period()), key.Digits(), key.Algorithm()
	}
	if o.options.Period < 5 || o.options.Period > 300 || o.options.Digits < 6 || o.options.Digits > 10 {
		return OneTime{}, errors.New("codes of 6 to 10 digits that hold for 5 to 300 seconds are computed")
	}
	if len(o.secret) < 8 || len(o.secret) > 500 {
		return OneTime{}, errors.New("a secret of 8 to 500 characters of base32 is expected")
	}
	if _, _, err := o.Code(time.Unix(0, 0)); err != nil {
		return OneTime{}, errors.New("it is not written in base32 (letters and the digits 2 to 7)")
	}
	return o, nil
}

// Code gives the code of a moment, and until when it is the one.
func (o OneTime) Code(at time.Time) (code string, until time.Time, err error) {
	code, err = totp.GenerateCodeCustom(o.secret, at, o.options)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("compute the one-time code: %w", err)
	}
	period := int64(o.options.Period)
	return code, time.Unix((at.Unix()/period+1)*period, 0), nil
}
