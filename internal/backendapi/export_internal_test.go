package backendapi

// Remembered returns how many refreshes and sessions are remembered.
func (c *Client) Remembered() int {
	c.renewals.mu.Lock()
	defer c.renewals.mu.Unlock()
	return max(len(c.renewals.calls), len(c.renewals.sessions))
}
