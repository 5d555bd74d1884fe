using System.Globalization;
using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    /// <summary>
    /// Writes what is known of names, files and blocks, as of one moment, as statements that SQLite and PostgreSQL understand, in one
    /// transaction of theirs: what is cut off leaves nothing behind. It takes no more memory than a row.
    /// </summary>
    /// <param name="writer">Gets the script.</param>
    /// <param name="only">Whose; null is all customers.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task ExportAsync(TextWriter writer, CustomerId? only = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (only is { } one) accounts.Of(one);
        using var moment = store.CreateSnapshot();
        var script = new MetadataScript(writer);
        await script.BeginAsync();
        await ForEachAsync(MetadataKeys.EntryTable, row => script.AddAsync(Customer(row), Files.Rows.ReadEntry(row.Key, row.Value)));
        await ForEachAsync(MetadataKeys.FileTable, async row =>
        {
            var (customer, id) = (Customer(row), MetadataKeys.WordAt(row.Key, 1));
            await script.BeginFileAsync(customer, FileRow.Read(row.Key, row.Value));
            using var pages = moment.Scan(KeyRange.Prefix(MetadataKeys.BlockList(customer, id)));
            while (pages.MoveNext()) await script.AddBlocksAsync(BlockListPage.Read(pages.Key, pages.Value));
            await script.EndFileAsync();
        });
        await ForEachAsync(MetadataKeys.BlockTable, async row =>
        {
            var block = Files.Rows.ReadBlock(row.Key, row.Value).Locations;
            var references = 0L;
            using var rows = moment.Scan(KeyRange.Prefix(MetadataKeys.References(block.Customer, block.Name)));
            while (rows.MoveNext()) references++;
            await script.AddAsync(block, references);
        });
        await script.CompleteAsync();

        async Task ForEachAsync(byte table, Func<KeyValueCursor, Task> add)
        {
            var prefix = only is { } customer ? MetadataKeys.Customers(table, customer) : MetadataKeys.Table(table);
            using var rows = moment.Scan(KeyRange.Prefix(prefix));
            while (rows.MoveNext())
            {
                cancellationToken.ThrowIfCancellationRequested();
                await add(rows);
            }

            await script.EndTableAsync();
        }

        static CustomerId Customer(KeyValueCursor row) => new(MetadataKeys.WordAt(row.Key, 0));
    }

    /// <summary>Rows as statements, many to one: databases read them many times as fast.</summary>
    sealed class MetadataScript(TextWriter writer)
    {
        const int RowsOfStatement = 500;

        const string Tables = """
            CREATE TABLE namespace_entries (
              customer BIGINT NOT NULL,
              path TEXT NOT NULL,
              name TEXT NOT NULL,
              parent_path TEXT NOT NULL,
              type TEXT NOT NULL,
              created_at TIMESTAMP WITH TIME ZONE NOT NULL,
              updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
              PRIMARY KEY (customer, path)
            );
            CREATE TABLE file_metadata (
              customer BIGINT NOT NULL,
              path TEXT NOT NULL,
              size_bytes BIGINT NOT NULL,
              block_count BIGINT NOT NULL,
              block_size BIGINT NOT NULL,
              created_at TIMESTAMP WITH TIME ZONE NOT NULL,
              block_hashes TEXT NOT NULL,
              PRIMARY KEY (customer, path)
            );
            CREATE TABLE block_locations (
              customer BIGINT NOT NULL,
              block_hash TEXT NOT NULL,
              generation TEXT NOT NULL,
              state TEXT NOT NULL,
              replica_nodes TEXT NOT NULL,
              ref_count BIGINT NOT NULL,
              last_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
              PRIMARY KEY (customer, block_hash, generation)
            );
            """;

        int rows; // Of the statement that is open.
        bool isFirst; // Of the blocks of a file.

        public async Task BeginAsync()
        {
            await writer.WriteLineAsync("BEGIN;");
            await writer.WriteLineAsync(Tables);
        }

        public async Task AddAsync(CustomerId customer, NamespaceEntry entry)
        {
            await BeginRowAsync("namespace_entries");
            var type = entry.Kind == NamespaceEntryKind.File ? "file" : "directory";
            await writer.WriteAsync(
                $"({customer}, {Quote(entry.Path.ToString())}, {Quote(entry.Path.Name)}, {Quote(entry.Path.Parent.ToString())}, "
                + $"'{type}', {Format(entry.CreatedAt)}, {Format(entry.UpdatedAt)})");
        }

        public async Task BeginFileAsync(CustomerId customer, FileRow file)
        {
            await BeginRowAsync("file_metadata");
            isFirst = true;
            await writer.WriteAsync(
                $"({customer}, {Quote(file.Path.ToString())}, {file.SizeBytes}, {file.BlockCount}, {BlockGeometry.MaxLengthBytes}, "
                + $"{Format(file.CreatedAt)}, '");
        }

        public async Task AddBlocksAsync(IReadOnlyList<FileBlock> blocks)
        {
            foreach (var block in blocks)
            {
                await writer.WriteAsync($"{(isFirst ? "" : " ")}{block.Name.Hash}");
                isFirst = false;
            }
        }

        public Task EndFileAsync() => writer.WriteAsync("')");

        public async Task AddAsync(BlockLocations block, long references)
        {
            await BeginRowAsync("block_locations");
            await writer.WriteAsync(
                $"({block.Customer}, '{block.Name.Hash}', '{block.Name.Generation:x16}', '{Format(block.State)}', "
                + $"'{string.Join(' ', block.Nodes)}', {references}, {Format(block.LastUsedAt)})");
        }

        public async Task EndTableAsync()
        {
            if (rows > 0) await writer.WriteLineAsync(";");
            rows = 0;
        }

        public Task CompleteAsync() => writer.WriteLineAsync("COMMIT;");

        async Task BeginRowAsync(string table)
        {
            if (rows == RowsOfStatement) await EndTableAsync();
            await writer.WriteAsync(rows++ == 0 ? $"INSERT INTO {table} VALUES\n" : ",\n");
        }

        static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

        static string Format(DateTimeOffset time) =>
            $"'{time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}+00:00'";

        static string Format(BlockState state) => state switch
        {
            BlockState.Live => "live",
            BlockState.Condemned => "condemned",
            _ => "deleting",
        };
    }
}
