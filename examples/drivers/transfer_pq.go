// Debian: golang-go, golang-github-lib-pq-dev.
// GOPATH=/usr/share/gocode GO111MODULE=off go run transfer_pq.go
package main

import (
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/lib/pq"
)

const transfer = `SELECT status, from_balance, to_balance FROM lockstep.transfer(
    $1::text::regclass, $2::bigint, $3::bigint, $4::numeric, $5::uuid, memo => $6::jsonb)`
const batch = `SELECT status FROM lockstep.transfer_batch(
    $1::text::regclass, $2::bigint[], $3::bigint[], $4::numeric[], $5::uuid[])`
const again = `SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)`

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func newID() string {
	var b [16]byte
	_, err := rand.Read(b[:])
	check(err)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func main() {
	rent := newID() // once for the intent
	db, err := sql.Open("postgres", "sslmode=disable")
	check(err)
	defer db.Close()
	var status, from, to string
	check(db.QueryRow(transfer, "accounts", 1, 2, "30.00", rent, `{"for": "rent"}`).Scan(&status, &from, &to))
	fmt.Println(status, from, to)

	err = db.QueryRow(transfer, "accounts", 1, 2, "500", newID(), nil).Scan(&status, &from, &to)
	var refusal *pq.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Code, refusal.Detail)
	}

	rows, err := db.Query(batch, "accounts", pq.Array([]int64{1, 2}), pq.Array([]int64{2, 1}),
		pq.Array([]string{"1", "1"}), pq.Array([]string{newID(), newID()}))
	check(err)
	var all []any
	for rows.Next() {
		check(rows.Scan(&status))
		all = append(all, status)
	}
	check(rows.Err())
	fmt.Println(all...)

	// By db, not by a Tx of it.
	var attempts int
	var lastError sql.NullString
	var result []byte
	check(db.QueryRow("CALL lockstep.retry($1, params => $2)", again,
		pq.Array([]string{"1", "2", "30.00", rent})).Scan(&attempts, &lastError, &result))
	var found []struct{ Status string }
	check(json.Unmarshal(result, &found))
	fmt.Println(attempts, found[0].Status)
}
