<?php
// Debian: php-cli, php-pgsql. php transfer_pdo.php
const TRANSFER = 'SELECT status, from_balance, to_balance FROM lockstep.transfer(
    ?::text::regclass, ?::bigint, ?::bigint, ?::numeric, ?::uuid, memo => ?::jsonb)';
const BATCH = 'SELECT status FROM lockstep.transfer_batch(
    ?::text::regclass, ?::bigint[], ?::bigint[], ?::numeric[], ?::uuid[])';
const AGAIN = <<<'SQL'
    SELECT status FROM lockstep.transfer(
        'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)
    SQL;

$db = new PDO('pgsql:', null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
function run(string $text, array $values, int $how = PDO::FETCH_NUM): array
{
    global $db;
    $statement = $db->prepare($text);
    $statement->execute($values);
    return $statement->fetchAll($how);
}
function new_id(): string
{
    return run('SELECT gen_random_uuid()', [], PDO::FETCH_COLUMN)[0];
}

$rent = new_id(); // once for the intent
$memo = json_encode(['for' => 'rent']);
echo implode(' ', run(TRANSFER, ['accounts', 1, 2, '30.00', $rent, $memo])[0]), "\n";
try {
    run(TRANSFER, ['accounts', 1, 2, '500', new_id(), null]);
} catch (PDOException $error) {
    // The server's message with its lines ERROR, DETAIL and HINT is one text to PDO.
    preg_match('/^DETAIL: +(.*)$/m', $error->errorInfo[2], $detail);
    echo $error->errorInfo[0], ' ', $detail[1], "\n";
}
// A list is the text of an array; quote what is not a number or a uuid.
$ids = '{' . new_id() . ',' . new_id() . '}';
$paid = run(BATCH, ['accounts', '{1,2}', '{2,1}', '{1,1}', $ids], PDO::FETCH_COLUMN);
echo implode(' ', $paid), "\n";
// Not between beginTransaction() and commit().
[[$attempts, $last_error, $result]] =
    run('CALL lockstep.retry(?, params => ?)', [AGAIN, "{1,2,30.00,$rent}"]);
echo $attempts, ' ', json_decode($result)[0]->status, "\n";
