// Package export_tenon_handler_handler is a notes API: create, read and list.
package export_tenon_handler_handler

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	. "wit_component/tenon_handler_http"
	"wit_component/tenon_handler_log"
	storage "wit_component/tenon_handler_storage"
)

const partition = "notes"

var titles = map[uint16]string{404: "Not Found", 405: "Method Not Allowed", 422: "Unprocessable Content", 503: "Service Unavailable"}

type note struct {
	ID        string `json:"id"`
	Text      string `json:"text"`
	CreatedAt string `json:"created_at"`
}

// Handle answers a request.
func Handle(request Request) Response {
	id, isNote := strings.CutPrefix(request.Path, "/notes/")
	switch {
	case request.Path == "/notes" && request.Method == "GET":
		return list(request)
	case request.Path == "/notes" && request.Method == "POST":
		return create(request)
	case isNote && request.Method == "GET":
		return read(request, id)
	case request.Path == "/notes" || isNote:
		return problem(request, 405, "the path has no such method")
	}
	return problem(request, 404, "there is no such path")
}

func list(request Request) Response {
	result := storage.Query(partition, storage.ConsistencyStrong, storage.QueryOptions{Range: storage.MakeSortRangeAll(), Limit: 100})
	if result.IsErr() {
		return failed(request, result.Err())
	}
	notes := []json.RawMessage{}
	for _, entry := range result.Ok().Entries {
		notes = append(notes, json.RawMessage(entry.Item.Document))
	}
	return answer(200, map[string]any{"items": notes})
}

func create(request Request) Response {
	var draft struct{ Text string }
	if json.Unmarshal(request.Body, &draft) != nil || draft.Text == "" {
		return problem(request, 422, "`text` must not be empty")
	}
	// The host's time and random numbers, which are the same in a replay.
	created := note{fmt.Sprintf("%016x", rand.Uint64()), draft.Text, time.Now().UTC().Format(time.RFC3339Nano)}
	document, _ := json.Marshal(created)
	options := storage.PutOptions{Precondition: storage.MakePreconditionAbsent()}
	if result := storage.Put(storage.Key{Partition: partition, Sort: created.ID}, string(document), options); result.IsErr() {
		return failed(request, result.Err())
	}
	tenon_handler_log.Write(tenon_handler_log.LevelInfo, "note created", []tenon_handler_log.Attribute{{Key: "id", Value: created.ID}})
	return answer(201, created)
}

func read(request Request, id string) Response {
	result := storage.Get(storage.Key{Partition: partition, Sort: id}, storage.ConsistencyStrong)
	switch {
	case result.IsErr():
		return failed(request, result.Err())
	case !result.Ok().IsSome():
		return problem(request, 404, "there is no such note")
	}
	return answer(200, json.RawMessage(result.Ok().Some().Document))
}

// What a store reports, as other guests answer it.
func failed(request Request, err storage.Error) Response {
	if err.Tag() == storage.ErrorInvalid {
		return problem(request, 404, "no note has such an id")
	}
	return problem(request, 503, "the store cannot be used at the moment")
}

func problem(request Request, status uint16, detail string) Response {
	body := map[string]any{"type": "about:blank", "status": status, "title": titles[status], "detail": detail, "request_id": request.Context.RequestId}
	response := answer(status, body)
	response.Headers[0].Value = "application/problem+json"
	return response
}

func answer(status uint16, content any) Response {
	body, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	return Response{Status: status, Headers: []Field{{Name: "content-type", Value: "application/json"}}, Body: body}
}

