// Three answers from memory, in the way of Express's own first example.
const fs = require('node:fs')
const express = require('express')

const app = express()
const [status, token, incomes] = ['status', 'token', 'incomes'].map((name) => fs.readFileSync(`${name}.json`, 'utf8'))

app.use(express.json())
app.get('/status/', (req, res) => res.type('json').send(status))
app.post('/v1/bridge-tokens/', (req, res) => res.type('json').send(token))
app.post('/v1/verifications/incomes/', (req, res) => res.type('json').send(incomes))

app.listen(process.env.PORT, '127.0.0.1')
