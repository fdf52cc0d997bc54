# Debian: ruby-pg. ruby transfer_ruby_pg.rb
require 'json'
require 'pg'
require 'securerandom'

TRANSFER = <<~SQL
  SELECT status, from_balance, to_balance FROM lockstep.transfer(
      $1::text::regclass, $2::bigint, $3::bigint, $4::numeric, $5::uuid, memo => $6::jsonb)
SQL
BATCH = <<~SQL
  SELECT item, status FROM lockstep.transfer_batch(
      $1::text::regclass, $2::bigint[], $3::bigint[], $4::numeric[], $5::uuid[])
SQL
AGAIN = <<~SQL
  SELECT status FROM lockstep.transfer(
      'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)
SQL

def list(values)
  PG::TextEncoder::Array.new.encode(values.map(&:to_s))
end

rent = SecureRandom.uuid # once for the intent
session = PG.connect
memo = JSON.generate(for: 'rent')
puts session.exec_params(TRANSFER, ['accounts', 1, 2, '30.00', rent, memo]).values[0].join(' ')
begin
  session.exec_params(TRANSFER, ['accounts', 1, 2, '500', SecureRandom.uuid, nil])
rescue PG::Error => error
  puts "#{error.result.error_field(PG::Result::PG_DIAG_SQLSTATE)} " \
       "#{error.result.error_field(PG::Result::PG_DIAG_MESSAGE_DETAIL)}"
end
lists = [[1, 2], [2, 1], %w[1 1], [SecureRandom.uuid, SecureRandom.uuid]].map { |one| list(one) }
puts session.exec_params(BATCH, ['accounts', *lists]).map { |row| row['status'] }.join(' ')
retried = session.exec_params('CALL lockstep.retry($1, params => $2)',
                              [AGAIN, list([1, 2, '30.00', rent])])[0]
puts "#{retried['attempts']} #{JSON.parse(retried['result'])[0]['status']}"
