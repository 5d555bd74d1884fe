using Ashlar.KeyValue;

namespace Ashlar.Files.Tests;

/// <summary>
/// What must hold in every state that a crash or a step may leave, read from the rows and the nodes as they are: invariants I1 to I3 of
/// the collector, and that rows which say the same thing say the same.
/// </summary>
sealed class StoreInvariants
{
    readonly ILookup<byte, (byte[] Key, byte[] Value)> tables;
    readonly HashSet<string> keys;
    readonly DiskNodes nodes;
    readonly int required;

    StoreInvariants(EmbeddedMetadataStore store, DiskNodes nodes, CustomerId? only)
    {
        (this.nodes, required) = (nodes, nodes.RequiredCopies);
        var rows = new List<(byte[] Key, byte[] Value)>();
        using var cursor = store.Rows.Scan(KeyRange.All);
        while (cursor.MoveNext()) rows.Add((cursor.Key.ToArray(), cursor.Value.ToArray()));
        tables = rows.ToLookup(row => row.Key[0]);
        keys = rows.Select(row => Convert.ToHexString(row.Key)).ToHashSet(StringComparer.Ordinal);
        Only = only;
    }

    CustomerId? Only { get; }

    public static void Check(EmbeddedMetadataStore store, DiskNodes nodes, CustomerId? only = null, bool mayHaveStrangers = false)
    {
        var state = new StoreInvariants(store, nodes, only);
        state.CheckTree();
        var references = state.CheckFiles();
        state.CheckBlocks(references);
        state.CheckCopies(mayHaveStrangers);
    }

    /// <summary>After every lease and period: nothing is there but what files refer to. That is the other half of I2.</summary>
    public static void CheckNothingIsLeft(EmbeddedMetadataStore store, DiskNodes nodes)
    {
        Check(store, nodes);
        var state = new StoreInvariants(store, nodes, null);
        foreach (var table in "IiPpTQKD") Require(!state.Table((byte)table).Any(), $"rows of {table} are left");
        foreach (var block in state.Blocks())
            Require(state.Table((byte)'R').Any(row => IsOf(row.Key, block.Id)), $"{block.Id} is left, and nothing refers to it");
        foreach (var node in nodes.Nodes)
        {
            foreach (var (customer, block) in nodes.Held(node))
            {
                var row = state.Blocks().SingleOrDefault(row => row.Id == new CustomerBlock(customer, block));
                Require(row?.Locations.Nodes.Contains(node) == true, $"{block} is left on {node}");
            }
        }
    }

    static void Require(bool condition, string what)
    {
        if (!condition) throw new InvalidOperationException(what);
    }

    static bool IsOf(byte[] key, CustomerBlock block) => key.AsSpan(1, 48).SequenceEqual(MetadataKeys.Deleting(block).AsSpan(1));

    IEnumerable<(byte[] Key, byte[] Value)> Table(byte table) => tables[table];

    bool Has(byte[] key) => keys.Contains(Convert.ToHexString(key));

    IEnumerable<BlockRow> Blocks() => Table((byte)'B').Select(row => Rows.ReadBlock(row.Key, row.Value));

    // No orphan file, no ghost directory; counts are exact.
    void CheckTree()
    {
        var entries = Table((byte)'N').ToDictionary(
            row => (MetadataKeys.WordAt(row.Key, 0), Convert.ToHexString(MetadataKeys.PathOf(row.Key))),
            row => Rows.ReadEntry(row.Key, row.Value));
        var usage = new Dictionary<(ulong, FilePath), Usage>();
        foreach (var ((customer, _), entry) in entries)
        {
            if (!entry.Path.Parent.IsRoot)
            {
                var parent = Convert.ToHexString([.. entry.Path.Parent.Bytes.Span, (byte)'/']);
                Require(entries.ContainsKey((customer, parent)), $"{entry.Path} has no parent");
            }

            var isFile = entry.Kind == NamespaceEntryKind.File;
            var other = Convert.ToHexString(isFile ? [.. entry.Path.Bytes.Span, (byte)'/'] : entry.Path.Bytes.Span);
            Require(!entries.ContainsKey((customer, other)), $"{entry.Path} is a file and a directory");
            var bucket = isFile && entry.Path.Parent.IsRoot ? FilePath.Root : entry.Path.Bucket;
            var more = isFile ? new Usage(entry.SizeBytes, 1, 0) : new(0, 0, 1);
            usage[(customer, bucket)] = usage.GetValueOrDefault((customer, bucket)) + more;
            if (entry.IsImplicit)
            {
                Require(!entry.Path.Parent.IsRoot, $"{entry.Path} is of the root, and implicit");
                var isEmpty = !entries.Values.Any(other => other.Path.Parent == entry.Path);
                Require(!isEmpty, $"{entry.Path} is implicit, and nothing is in it");
            }

            if (!isFile) continue;
            var file = Table((byte)'F').SingleOrDefault(row => row.Key.SequenceEqual(MetadataKeys.FileRow(new(customer), entry.FileId)));
            Require(file.Key is not null, $"{entry.Path} has no file");
            Require(FileRow.Read(file.Key, file.Value).Path == entry.Path, $"the file of {entry.Path} has another name");
        }

        foreach (var (key, _) in Table((byte)'A'))
        {
            var name = Convert.ToHexString([.. MetadataKeys.PathOf(key), (byte)'/']);
            var isThere = entries.TryGetValue((MetadataKeys.WordAt(key, 0), name), out var owner) && !owner.IsImplicit;
            Require(isThere, "properties have no directory");
        }

        Require(Table((byte)'F').Count() == entries.Values.Count(entry => entry.Kind == NamespaceEntryKind.File), "a file has no name");
        foreach (var parts in Table((byte)'S').GroupBy(row => Convert.ToHexString(row.Key.AsSpan(0, row.Key.Length - 1))))
        {
            var key = parts.First().Key;
            var bucket = FilePath.OfStored(key.AsSpan(9, key.Length - 11));
            var sum = parts.Aggregate(default(Usage), (sum, row) => sum + Rows.ReadUsage(row.Key, row.Value));
            usage.Remove((MetadataKeys.WordAt(key, 0), bucket), out var expected);
            Require(sum == expected, $"{bucket} counts {sum}, and has {expected}");
        }

        Require(usage.Count == 0, "something is not counted");
    }

    HashSet<(CustomerBlock, ulong)> CheckFiles()
    {
        var expected = new HashSet<(CustomerBlock, ulong)>();
        foreach (var (key, value) in Table((byte)'F'))
        {
            var file = FileRow.Read(key, value);
            var (customer, id) = (new CustomerId(MetadataKeys.WordAt(key, 0)), MetadataKeys.WordAt(key, 1));
            var (position, count) = (0L, 0);
            foreach (var page in Table((byte)'L').Where(row => row.Key.AsSpan(0, 17).SequenceEqual(MetadataKeys.BlockList(customer, id))))
            {
                Require((long)MetadataKeys.WordAt(page.Key, 2) == position, $"the list of {file.Path} has a gap");
                foreach (var block in BlockListPage.Read(page.Key, page.Value))
                {
                    (position, count) = (position + block.LengthBytes, count + 1);
                    expected.Add((new(customer, block.Name), id));
                }
            }

            var isWhole = file.Inline is not null || (position == file.SizeBytes && count == file.BlockCount);
            Require(isWhole, $"the list of {file.Path} is short");
        }

        var references = Table((byte)'R')
            .Select(row => (MetadataKeys.BlockAtEnd(row.Key.AsSpan(0, 49)), MetadataKeys.WordAt(row.Key, 6)))
            .ToHashSet();
        Require(references.SetEquals(expected), "references are not those of the files");
        return references;
    }

    void CheckBlocks(HashSet<(CustomerBlock Block, ulong File)> references)
    {
        var blocks = Blocks().ToDictionary(block => block.Id);
        // I1: of a block that a file names the row is live, and lists as many nodes as were required.
        foreach (var (id, file) in references)
        {
            Require(
                blocks.TryGetValue(id, out var block) && block.Locations.State == BlockState.Live,
                $"I1: file {file:x} names {id.Name}, which is {block?.Locations.State.ToString() ?? "gone"}");
            Require(block!.Locations.Nodes.Count >= required, $"I1: {id.Name} is on {block.Locations.Nodes.Count} nodes");
        }

        // I2: a pin is found from an intent, and a block that no file names from a pin or by the collector.
        var pins = Table((byte)'P')
            .Select(row => (Block: MetadataKeys.BlockAtEnd(row.Key.AsSpan(0, 49)), Intent: MetadataKeys.WordAt(row.Key, 6)))
            .ToArray();
        foreach (var (id, intent) in pins)
        {
            Require(Has(MetadataKeys.IntentPin(id.Customer, intent, id.Name)), "I2: a pin has no other side");
            Require(Has(MetadataKeys.Intent(id.Customer, intent)), "I2: a pin has no intent");
            // I3: a pinned block is not being removed.
            var isDeleting = blocks.TryGetValue(id, out var block) && block.Locations.State == BlockState.Deleting;
            Require(!isDeleting, $"I3: {id.Name} is pinned and deleted");
        }

        Require(pins.Length == Table((byte)'p').Count(), "I2: a pin has no other side");
        foreach (var twice in pins.GroupBy(pin => (pin.Block.Customer, pin.Intent, pin.Block.Name.Hash)).Where(same => same.Count() > 1))
            Require(false, $"{twice.Key} is pinned under two names");
        var inParts = Table((byte)'I')
            .Select(row => Rows.ReadIntent(row.Key, row.Value))
            .Where(intent => intent is { IsInParts: true, IsReleased: false })
            .Select(intent => Convert.ToHexString(MetadataKeys.PathIntent(intent.Token.Customer, intent.Path, intent.Token.Id)));
        Require(
            inParts.ToHashSet(StringComparer.Ordinal).SetEquals(Table((byte)'i').Select(row => Convert.ToHexString(row.Key))),
            "an upload in parts is not found by its path, or one that is over is");
        foreach (var (key, value) in Table((byte)'T'))
        {
            var (customer, intent) = (new CustomerId(MetadataKeys.WordAt(key, 0)), MetadataKeys.WordAt(key, 1));
            Require(Has(MetadataKeys.Intent(customer, intent)), "a part has no upload");
            foreach (var part in Rows.ReadPart(key, value).Blocks)
            {
                Require(Has(MetadataKeys.Pin(customer, part.Name, intent)), $"I1: {part.Name} of a part is not pinned");
                Require(blocks.ContainsKey(new(customer, part.Name)), $"I1: {part.Name} of a part has no row");
            }
        }

        foreach (var block in blocks.Values)
        {
            var isFound = block.Locations.State != BlockState.Live
                || references.Any(reference => reference.Block == block.Id)
                || pins.Any(pin => pin.Block == block.Id)
                || Table((byte)'Q').Any(row => MetadataKeys.BlockAtEnd(row.Key) == block.Id);
            Require(isFound, $"I2: nothing leads to {block.Id.Name}");
        }

        var usable = blocks.Values.Where(block => block.Locations.State != BlockState.Deleting);
        foreach (var generations in usable.GroupBy(block => (block.Id.Customer, block.Id.Name.Hash)))
            Require(generations.Count() == 1, $"{generations.Key} is usable in two generations");
        var derived = blocks.Values.SelectMany(Derived).Select(Convert.ToHexString).ToHashSet();
        Require(
            derived.SetEquals("VUKD".SelectMany(table => Table((byte)table)).Select(row => Convert.ToHexString(row.Key))),
            "lists of blocks are not those of the rows");
    }

    static IEnumerable<byte[]> Derived(BlockRow block)
    {
        foreach (var node in block.Locations.Nodes) yield return MetadataKeys.Node(node, block.Id);
        var copies = block.Locations.Nodes.Count;
        switch (block.Locations.State)
        {
            case BlockState.Condemned:
                yield return MetadataKeys.Condemned(block.CondemnedAt, block.Id);
                break;
            case BlockState.Deleting:
                yield return MetadataKeys.Deleting(block.Id);
                yield break;
        }

        if (copies < block.Locations.WantedCopies) yield return MetadataKeys.UnderReplicated(copies, block.Id);
    }

    void CheckCopies(bool mayHaveStrangers)
    {
        var blocks = Blocks().ToDictionary(block => block.Id);
        // I1: copies that the rows list are there, whole: no node removes one before the row says deleting.
        foreach (var block in blocks.Values.Where(block => block.Locations.State != BlockState.Deleting))
        {
            if (Only is { } only && block.Id.Customer != only) continue;
            foreach (var node in block.Locations.Nodes)
            {
                var state = nodes.VerifyAsync(node, block.Id).Result;
                Require(state is CopyState.Verified or CopyState.Away, $"I1: {block.Id.Name} on {node} is {state}");
            }
        }

        // I2: no copy is there that nothing leads to.
        if (mayHaveStrangers) return;
        foreach (var node in nodes.Nodes)
        {
            foreach (var (customer, block) in nodes.Held(node))
            {
                if (Only is { } only && customer != only) continue;
                var id = new CustomerBlock(customer, block);
                var isFound = blocks.ContainsKey(id) || Table((byte)'P').Any(row => IsOf(row.Key, id));
                Require(isFound, $"I2: nothing leads to {block} on {node}");
            }
        }
    }
}
