package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// webdriver drives a browser with the commands of https://www.w3.org/TR/webdriver2/.
type webdriver struct {
	ctx context.Context //nolint:containedctx // the browser ends with it
	endpoint
}

// endpoint sends commands. The methods of webdriver know the parameters of each.
type endpoint interface {
	command(ctx context.Context, c command, parameters any) (json.RawMessage, error)
}

// command has one name in each of two protocols.
type command struct{ marionette, method, path string }

var (
	newSession    = command{"WebDriver:NewSession", http.MethodPost, "/session"}
	navigateTo    = command{"WebDriver:Navigate", http.MethodPost, "/session/{session}/url"}
	refresh       = command{"WebDriver:Refresh", http.MethodPost, "/session/{session}/refresh"}
	executeAsync  = command{"WebDriver:ExecuteAsyncScript", http.MethodPost, "/session/{session}/execute/async"}
	findElement   = command{"WebDriver:FindElement", http.MethodPost, "/session/{session}/element"}
	elementClick  = command{"WebDriver:ElementClick", http.MethodPost, "/session/{session}/element/{element}/click"}
	takeShot      = command{"WebDriver:TakeScreenshot", http.MethodGet, "/session/{session}/screenshot"}
	deleteSession = command{"WebDriver:DeleteSession", http.MethodDelete, "/session/{session}"}
	quit          = command{marionette: "Marionette:Quit"}
)

// elementKey is the JSON name of an element's reference.
const elementKey = "element-6066-11e4-a52e-4f735466cecf"

func (d *webdriver) navigate(url string) error {
	_, err := d.command(d.ctx, navigateTo, map[string]any{"url": url})
	return err
}

func (d *webdriver) reload() error {
	_, err := d.command(d.ctx, refresh, map[string]any{})
	return err
}

// click marks the page and waits until the mark is gone, which means that the next page was loaded.
func (d *webdriver) click(selector string) error {
	if _, err := d.evaluate(`window.clickedHere = true`); err != nil {
		return err
	}
	found, err := d.command(d.ctx, findElement, map[string]any{"using": "css selector", "value": selector})
	if err != nil {
		return err
	}
	var element map[string]string
	if err := json.Unmarshal(found, &element); err != nil {
		return err
	}
	if _, err := d.command(d.ctx, elementClick, map[string]any{"id": element[elementKey]}); err != nil {
		return err
	}
	return d.await(`!window.clickedHere && document.readyState === "complete"`)
}

// await polls until a condition is true. Between two pages there may be no page that answers.
func (d *webdriver) await(condition string) error {
	for {
		got, err := d.evaluate(condition)
		if err == nil && string(got) == "true" {
			return nil
		}
		select {
		case <-d.ctx.Done():
			return errors.Join(err, d.ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *webdriver) evaluate(script string) ([]byte, error) {
	const body = `const done = arguments[0]
		Promise.resolve().then(() => (%s)).then(v => done({value: v ?? null}), e => done({error: String(e)}))`
	raw, err := d.command(d.ctx, executeAsync, map[string]any{"script": fmt.Sprintf(body, script), "args": []any{}})
	if err != nil {
		return nil, err
	}
	var result struct {
		Value json.RawMessage `json:"value"`
		Error string          `json:"error"`
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		return nil, err
	}
	if result.Error != "" {
		return nil, errors.New(result.Error)
	}
	return result.Value, nil
}

func (d *webdriver) screenshot() ([]byte, error) {
	raw, err := d.command(d.ctx, takeShot, map[string]any{})
	if err != nil {
		return nil, err
	}
	var image []byte
	return image, json.Unmarshal(raw, &image) // base64, as encoding/json writes bytes
}

// marionette is Firefox's own protocol: the commands of WebDriver over a connection, each as
// length:[0,id,name,{…}]. See
// https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html.
type marionette struct {
	conn net.Conn
	in   *bufio.Reader
	last int
}

// dialMarionette connects to a browser, and reads its greeting.
func dialMarionette(ctx context.Context, address string) (*marionette, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	m := &marionette{conn: conn, in: bufio.NewReader(conn)}
	context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends a read that waits
	_, err = m.receive()
	return m, err
}

func (m *marionette) receive() ([]byte, error) {
	length, err := m.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(length, ":"), 10, 31)
	if err != nil {
		return nil, err
	}
	message := make([]byte, n)
	_, err = io.ReadFull(m.in, message)
	return message, err
}

func (m *marionette) command(_ context.Context, c command, parameters any) (json.RawMessage, error) {
	m.last++
	message, err := json.Marshal([]any{0, m.last, c.marionette, parameters})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(message), message); err != nil {
		return nil, err
	}
	if message, err = m.receive(); err != nil {
		return nil, err
	}
	var problem *struct{ Error, Message string }
	var result json.RawMessage
	if err := json.Unmarshal(message, &[]any{new(int), new(int), &problem, &result}); err != nil {
		return nil, err
	}
	if problem != nil {
		return nil, fmt.Errorf("%s: %s: %s", c.marionette, problem.Error, problem.Message)
	}
	var wrapped struct{ Value json.RawMessage }
	if err := json.Unmarshal(result, &wrapped); err != nil || wrapped.Value == nil {
		return result, err
	}
	return wrapped.Value, nil
}

// classic is WebDriver over HTTP.
type classic struct{ base, session string }

func (h *classic) command(ctx context.Context, c command, parameters any) (json.RawMessage, error) {
	body, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	path := strings.ReplaceAll(c.path, "{session}", h.session)
	if p, ok := parameters.(map[string]any); ok {
		id, _ := p["id"].(string)
		path = strings.ReplaceAll(path, "{element}", id)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, h.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct{ Value json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %s", c.method, c.path, resp.Status, answer.Value)
	}
	return answer.Value, nil
}
