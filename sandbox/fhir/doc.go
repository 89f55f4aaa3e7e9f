// Package fhir reads and judges the FHIR messages of the Mon espace santé APIs.
package fhir
