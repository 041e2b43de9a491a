// Kafka Streams doing the accounting of accounting.py: one store with its changelog, one output
// per event. Arguments: broker, journal, output, application id, guarantee, folder, warm-up
// (records), store (memory or rocksdb), stream threads. Runs until SIGTERM, then closes in order.

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

public final class Accounting {
    private static final String STORE = "rows";
    private static Path markFile;
    private static long warmUp;
    private static final AtomicLong HANDED_OVER = new AtomicLong();

    /** Notes the moment when the warm-up is behind; see mark.py. */
    private static void count() throws IOException {
        if (HANDED_OVER.getAndIncrement() == warmUp) {
            Files.writeString(markFile, warmUp + " " + System.currentTimeMillis() / 1e3);
        }
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Line {
        public String document;
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Event {
        public String company;
        public String customer;
        public String occurred_at;
        public String document;
        public String payment;
        public String currency;
        public String amount;
        public String due_date;
        public List<Line> lines;
    }

    @JsonFormat(shape = JsonFormat.Shape.ARRAY)
    @JsonPropertyOrder({"event", "id", "source"})
    public static final class Told {
        public Event event;
        public String id;
        public String source;
    }

    @JsonFormat(shape = JsonFormat.Shape.ARRAY)
    @JsonPropertyOrder({"due_on", "item"})
    public static final class OpenItem {
        public String due_on;
        public String item;
    }

    @JsonFormat(shape = JsonFormat.Shape.ARRAY)
    @JsonPropertyOrder({"item", "amount_minor"})
    public static final class Part {
        public String item;
        public long amount_minor;
    }

    public static final class Header {
        public String kind = "account";
        public String account;
        public long version;
        public long open_minor;
        public long credit_minor;
        public String wake_on = "";
        public List<OpenItem> items = new ArrayList<>();
        public List<String> loose = new ArrayList<>();
    }

    public static final class Item {
        public String kind = "item";
        public String account;
        public String item;
        public String currency;
        public String issued_on;
        public String due_on;
        public long amount_minor;
        public long open_minor;
    }

    public static final class Credit {
        public String kind = "credit";
        public String account;
        public String credit;
        public String currency;
        public String received_on;
        public long amount_minor;
        public long rest_minor;
        public List<Part> applied = new ArrayList<>();
    }

    public static final class Said {
        public String id;
        public String account;
        public long version;
        public long applied_minor;
        public long open_minor;
        public long credit_minor;
    }

    /** The accounting of one partition. */
    static final class Accountant implements Processor<String, byte[], String, byte[]> {
        private static final ObjectMapper JSON = new ObjectMapper();
        private static final ObjectReader TOLD = JSON.readerFor(Told.class);
        private static final ObjectReader HEADER = JSON.readerFor(Header.class);
        private static final ObjectReader ITEM = JSON.readerFor(Item.class);
        private static final ObjectReader CREDIT = JSON.readerFor(Credit.class);
        private static final ObjectWriter WRITER = JSON.writer();
        private static final Comparator<OpenItem> OLDEST_FIRST =
                Comparator.comparing((OpenItem each) -> each.due_on).thenComparing(each -> each.item);

        private KeyValueStore<String, byte[]> rows;
        private ProcessorContext<String, byte[]> context;
        private String account;
        private Header header;

        @Override
        public void init(ProcessorContext<String, byte[]> given) {
            context = given;
            rows = given.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            try {
                count();
                byte[] said = account(TOLD.readValue(record.value()));
                if (said != null) {
                    context.forward(record.withValue(said));
                }
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        private byte[] account(Told told) throws IOException {
            Event event = told.event;
            if (event.document == null && event.payment == null) {
                return null;
            }
            account = event.company + ":" + event.customer;
            String key = account + "|h|";
            byte[] stored = rows.get(key);
            if (stored == null) {
                header = new Header();
                header.account = account;
            } else {
                header = HEADER.readValue(stored);
            }
            Said said = new Said();
            said.applied_minor = event.payment != null ? receive(event) : issue(event);
            header.version++;
            header.wake_on = header.items.isEmpty() ? "" : header.items.get(0).due_on;
            rows.put(key, WRITER.writeValueAsBytes(header));
            said.id = told.id;
            said.account = account;
            said.version = header.version;
            said.open_minor = header.open_minor;
            said.credit_minor = header.credit_minor;
            return WRITER.writeValueAsBytes(said);
        }

        private long issue(Event event) throws IOException {
            String key = account + "|i|" + event.document;
            if (rows.get(key) != null) {
                return 0;
            }
            Item item = new Item();
            item.account = account;
            item.item = event.document;
            item.currency = event.currency;
            item.issued_on = event.occurred_at;
            item.due_on = event.due_date;
            item.amount_minor = item.open_minor = minor(event.amount);
            while (!header.loose.isEmpty() && item.open_minor > 0) {
                String creditKey = account + "|c|" + header.loose.get(0);
                Credit credit = CREDIT.readValue(rows.get(creditKey));
                header.credit_minor -= apply(credit, item);
                if (credit.rest_minor == 0) {
                    header.loose.remove(0);
                }
                rows.put(creditKey, WRITER.writeValueAsBytes(credit));
            }
            if (item.open_minor > 0) {
                OpenItem open = new OpenItem();
                open.due_on = item.due_on;
                open.item = item.item;
                header.items.add(open);
                header.items.sort(OLDEST_FIRST);
            }
            header.open_minor += item.open_minor;
            rows.put(key, WRITER.writeValueAsBytes(item));
            return item.amount_minor - item.open_minor;
        }

        private long receive(Event event) throws IOException {
            String key = account + "|c|" + event.payment;
            if (rows.get(key) != null) {
                return 0;
            }
            Credit credit = new Credit();
            credit.account = account;
            credit.credit = event.payment;
            credit.currency = event.currency;
            credit.received_on = event.occurred_at;
            credit.amount_minor = credit.rest_minor = minor(event.amount);
            for (String name : targets(event)) {
                if (credit.rest_minor == 0) {
                    break;
                }
                settle(name, credit);
            }
            long applied = credit.amount_minor - credit.rest_minor;
            header.open_minor -= applied;
            header.credit_minor += credit.rest_minor;
            if (credit.rest_minor > 0) {
                header.loose.add(event.payment);
            }
            rows.put(key, WRITER.writeValueAsBytes(credit));
            return applied;
        }

        private List<String> targets(Event event) {
            List<String> names = new ArrayList<>();
            if (event.lines != null) {
                for (Line line : event.lines) {
                    names.add(line.document);
                }
            } else {
                for (OpenItem open : header.items) {
                    names.add(open.item);
                }
            }
            return names;
        }

        private void settle(String name, Credit credit) throws IOException {
            String key = account + "|i|" + name;
            byte[] stored = rows.get(key);
            if (stored == null) {
                return;
            }
            Item item = ITEM.readValue(stored);
            if (item.open_minor == 0) {
                return;
            }
            apply(credit, item);
            if (item.open_minor == 0) {
                header.items.removeIf(open -> open.item.equals(name));
            }
            rows.put(key, WRITER.writeValueAsBytes(item));
        }

        private static long apply(Credit credit, Item item) {
            long amount = Math.min(credit.rest_minor, item.open_minor);
            credit.rest_minor -= amount;
            item.open_minor -= amount;
            Part part = new Part();
            part.item = item.item;
            part.amount_minor = amount;
            credit.applied.add(part);
            return amount;
        }

        private static long minor(String amount) {
            int point = amount.indexOf('.');
            if (point < 0) {
                return Long.parseLong(amount) * 100;
            }
            String fraction = (amount.substring(point + 1) + "00").substring(0, 2);
            return Long.parseLong(amount.substring(0, point)) * 100 + Long.parseLong(fraction);
        }
    }

    private static Properties settings(String[] given) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", given[0]);
        settings.put("application.id", given[3]);
        settings.put("processing.guarantee", given[4]);
        settings.put("state.dir", given[5]);
        settings.put("num.stream.threads", Integer.parseInt(given[8]));
        settings.put("commit.interval.ms", 100);  // the default of exactly-once
        settings.put("auto.offset.reset", "earliest");
        settings.put("max.poll.records", 20_000);  // 1,000 by default, which is a little slower
        settings.put("replication.factor", 1);
        return settings;
    }

    public static void main(String[] given) throws InterruptedException {
        markFile = Path.of(given[5], "begun");
        warmUp = Long.parseLong(given[6]);
        boolean inMemory = given[7].equals("memory");
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Stores.keyValueStoreBuilder(
                inMemory ? Stores.inMemoryKeyValueStore(STORE) : Stores.persistentKeyValueStore(STORE),
                Serdes.String(), Serdes.ByteArray()));
        builder.stream(given[1], Consumed.with(Serdes.String(), Serdes.ByteArray()))
                .process(Accountant::new, STORE)
                .to(given[2], Produced.with(Serdes.String(), Serdes.ByteArray()));
        KafkaStreams streams = new KafkaStreams(builder.build(), settings(given));
        CountDownLatch stopped = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            stopped.countDown();
        }));
        streams.start();
        stopped.await();
    }
}
