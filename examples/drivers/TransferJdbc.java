// Debian: default-jdk-headless, libpostgresql-jdbc-java.
// java -cp /usr/share/java/postgresql.jar TransferJdbc.java 'jdbc:postgresql://HOST/DATABASE?user=USER'
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import org.postgresql.util.PSQLException;

public class TransferJdbc {
    static final String TRANSFER = "SELECT status, from_balance, to_balance FROM lockstep.transfer("
        + "?::text::regclass, ?::bigint, ?::bigint, ?::numeric, ?::uuid, memo => ?::jsonb)";
    static final String BATCH = "SELECT item, status FROM lockstep.transfer_batch("
        + "?::text::regclass, ?::bigint[], ?::bigint[], ?::numeric[], ?::uuid[])";
    static final String AGAIN = "SELECT status FROM lockstep.transfer("
        + "'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)";

    static void transfer(Connection session, BigDecimal amount, UUID id, String memo)
        throws SQLException {
        try (PreparedStatement call = session.prepareStatement(TRANSFER)) {
            call.setString(1, "accounts");
            call.setLong(2, 1);
            call.setLong(3, 2);
            call.setBigDecimal(4, amount);
            call.setObject(5, id);
            call.setString(6, memo);
            ResultSet row = call.executeQuery();
            row.next();
            System.out.println(row.getString(1) + " " + row.getBigDecimal(2) + " "
                + row.getBigDecimal(3));
        }
    }

    public static void main(String[] arguments) throws SQLException {
        UUID rent = UUID.randomUUID(); // once for the intent
        // It begins with setAutoCommit(true); a pool or a framework may have set it to false.
        try (Connection session = DriverManager.getConnection(arguments[0])) {
            transfer(session, new BigDecimal("30.00"), rent, "{\"for\": \"rent\"}");
            try {
                transfer(session, new BigDecimal("500"), UUID.randomUUID(), null);
            } catch (PSQLException error) {
                System.out.println(error.getSQLState() + " "
                    + error.getServerErrorMessage().getDetail());
            }
            try (PreparedStatement call = session.prepareStatement(BATCH)) {
                UUID[] ids = {UUID.randomUUID(), UUID.randomUUID()};
                call.setString(1, "accounts");
                call.setArray(2, session.createArrayOf("bigint", new Long[] {1L, 2L}));
                call.setArray(3, session.createArrayOf("bigint", new Long[] {2L, 1L}));
                call.setArray(4, session.createArrayOf("numeric",
                    new BigDecimal[] {BigDecimal.ONE, BigDecimal.ONE}));
                call.setArray(5, session.createArrayOf("uuid", ids));
                ResultSet row = call.executeQuery();
                row.next();
                String first = row.getString("status");
                row.next();
                System.out.println(first + " " + row.getString("status"));
            }
            try (PreparedStatement call =
                     session.prepareStatement("CALL lockstep.retry(?, params => ?)")) {
                call.setString(1, AGAIN);
                call.setArray(2, session.createArrayOf("text",
                    new String[] {"1", "2", "30.00", rent.toString()}));
                ResultSet row = call.executeQuery();
                row.next();
                // [{"status":"replayed"}], for the JSON library of yours.
                System.out.println(row.getInt("attempts") + " "
                    + row.getString("result").replaceAll("[^a-z]|status", ""));
            }
        }
    }
}
