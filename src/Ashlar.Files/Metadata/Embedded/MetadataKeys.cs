using System.Buffers.Binary;

namespace Ashlar.Files;

/// <summary>
/// Keys of the rows: a letter for the table, then numbers as big-endian words and hashes as they are, so that rows sort by them. See
/// docs/formats/file-metadata.md.
/// </summary>
static class MetadataKeys
{
    public const byte FormatTable = (byte)'M', CustomerTable = (byte)'C', CustomerNameTable = (byte)'c', EntryTable = (byte)'N',
        FileTable = (byte)'F', BlockListTable = (byte)'L', BlockTable = (byte)'B', ReferenceTable = (byte)'R', PinTable = (byte)'P',
        IntentTable = (byte)'I', IntentPinTable = (byte)'p', IdleTable = (byte)'Q', CondemnedTable = (byte)'K',
        DeletingTable = (byte)'D', UnderReplicatedTable = (byte)'U', NodeTable = (byte)'V', UsageTable = (byte)'S',
        DirectoryPropertiesTable = (byte)'A', PartTable = (byte)'T', UserTable = (byte)'W', KeyTable = (byte)'Y', UserKeyTable = (byte)'y',
        GenerationsTable = (byte)'G', TimeTable = (byte)'t', NoteTable = (byte)'x',
        PathIntentTable = (byte)'i';

    const byte DirectoryMark = (byte)'/';
    const int WordBytes = sizeof(ulong), NameBytes = ContentHash.SizeBytes + WordBytes;

    public static byte[] Format { get; } = [FormatTable];

    public static byte[] Time { get; } = [TimeTable];

    public static byte[] Generations { get; } = [GenerationsTable];

    public static byte[] Customer(CustomerId customer) => Words(CustomerTable, customer.Value);

    public static byte[] CustomerName(ReadOnlySpan<byte> name) => [CustomerNameTable, .. name];

    public static byte[] File(CustomerId customer, FilePath path) => [.. Words(EntryTable, customer.Value), .. path.Bytes.Span];

    /// <summary>Directories end in a slash: what is in them sorts right behind, and names sort as S3 sorts them.</summary>
    public static byte[] Directory(CustomerId customer, FilePath path) => [.. File(customer, path), DirectoryMark];

    public static byte[] Entries(CustomerId customer, ReadOnlySpan<byte> prefix) => [.. Words(EntryTable, customer.Value), .. prefix];

    public static byte[] DirectoryProperties(CustomerId customer, FilePath path) =>
        [.. Words(DirectoryPropertiesTable, customer.Value), .. path.Bytes.Span];

    public static byte[] FileRow(CustomerId customer, ulong file) => Words(FileTable, customer.Value, file);

    public static byte[] BlockList(CustomerId customer, ulong file) => Words(BlockListTable, customer.Value, file);

    public static byte[] BlockList(CustomerId customer, ulong file, long startBytes) =>
        Words(BlockListTable, customer.Value, file, (ulong)startBytes);

    public static byte[] Block(CustomerId customer, BlockName block) => Named(BlockTable, customer, block);

    public static byte[] BlocksOf(CustomerId customer, ContentHash hash) => [.. Words(BlockTable, customer.Value), .. hash.ToArray()];

    public static byte[] References(CustomerId customer, BlockName block) => Named(ReferenceTable, customer, block);

    public static byte[] Reference(CustomerId customer, BlockName block, ulong file) =>
        Named(ReferenceTable, customer, block, file);

    public static byte[] Pins(CustomerId customer, BlockName block) => Named(PinTable, customer, block);

    public static byte[] Pin(CustomerId customer, BlockName block, ulong intent) => Named(PinTable, customer, block, intent);

    public static byte[] Intent(CustomerId customer, ulong intent) => Words(IntentTable, customer.Value, intent);

    /// <summary>Uploads in parts by their paths. No path has a NUL, so it ends one: of two of one path the numbers tell.</summary>
    public static byte[] PathIntent(CustomerId customer, FilePath path, ulong intent) =>
        [.. PathIntents(customer, path.Bytes.Span), 0, .. Word(intent)];

    /// <summary>What the keys of uploads in parts begin with whose paths begin with something.</summary>
    public static byte[] PathIntents(CustomerId customer, ReadOnlySpan<byte> prefix) =>
        [.. Words(PathIntentTable, customer.Value), .. prefix];

    public static byte[] Intents(CustomerId customer) => Words(IntentTable, customer.Value);

    public static byte[] CustomerPins(CustomerId customer) => Words(IntentPinTable, customer.Value);

    public static byte[] IntentPins(CustomerId customer, ulong intent) => Words(IntentPinTable, customer.Value, intent);

    public static byte[] IntentPins(CustomerId customer, ulong intent, ContentHash hash) =>
        [.. IntentPins(customer, intent), .. hash.ToArray()];

    public static byte[] IntentPin(CustomerId customer, ulong intent, BlockName block) =>
        [.. IntentPins(customer, intent, block.Hash), .. Word(block.Generation)];

    public static byte[] CustomerParts(CustomerId customer) => Words(PartTable, customer.Value);

    public static byte[] Parts(CustomerId customer, ulong intent) => Words(PartTable, customer.Value, intent);

    public static byte[] Part(CustomerId customer, ulong intent, int number) => Words(PartTable, customer.Value, intent, (ulong)number);

    public static byte[] Users(CustomerId customer) => Words(UserTable, customer.Value);

    public static byte[] User(CustomerId customer, ReadOnlySpan<byte> name) => [.. Users(customer), .. name];

    public static byte[] Key(ReadOnlySpan<byte> id) => [KeyTable, .. id];

    /// <summary>No name has a NUL, so it ends that of the user.</summary>
    public static byte[] UserKeys(CustomerId customer, ReadOnlySpan<byte> user) => [.. Words(UserKeyTable, customer.Value), .. user, 0];

    public static byte[] UserKeys(CustomerId customer) => Words(UserKeyTable, customer.Value);

    public static byte[] UserKey(CustomerId customer, ReadOnlySpan<byte> user, ReadOnlySpan<byte> id) =>
        [.. UserKeys(customer, user), .. id];

    public static byte[] Note(ReadOnlySpan<byte> name) => [NoteTable, .. name];

    public static byte[] Idle(DateTimeOffset since, CustomerBlock block) => Timed(IdleTable, since, block);

    public static byte[] Condemned(DateTimeOffset at, CustomerBlock block) => Timed(CondemnedTable, at, block);

    public static byte[] Deleting(CustomerBlock block) => Named(DeletingTable, block.Customer, block.Name);

    public static byte[] UnderReplicated(int copies, CustomerBlock block) =>
        [UnderReplicatedTable, checked((byte)copies), .. Named(0, block.Customer, block.Name).AsSpan(1)];

    public static byte[] Node(NodeId node) => Words(NodeTable, node.Value);

    public static byte[] Node(NodeId node, CustomerBlock block) =>
        [.. Node(node), .. Named(0, block.Customer, block.Name).AsSpan(1)];

    public static byte[] Usages(CustomerId customer) => Words(UsageTable, customer.Value);

    /// <summary>No component has a NUL, so it ends the name of a directory of the root.</summary>
    public static byte[] Usages(CustomerId customer, FilePath bucket) => [.. Usages(customer), .. bucket.Bytes.Span, 0];

    public static byte[] Usage(CustomerId customer, FilePath bucket, byte writer) => [.. Usages(customer, bucket), writer];

    public static byte[] Table(byte table) => [table];

    /// <summary>What a table has of one customer, where that comes first.</summary>
    public static byte[] Customers(byte table, CustomerId customer) => Words(table, customer.Value);

    /// <summary>The customer and the block at the end of a key.</summary>
    public static CustomerBlock BlockAtEnd(ReadOnlySpan<byte> key)
    {
        var end = key[^(WordBytes + NameBytes)..];
        return new(new(BinaryPrimitives.ReadUInt64BigEndian(end)), NameAtEnd(key));
    }

    /// <summary>The block at the end of a key.</summary>
    public static BlockName NameAtEnd(ReadOnlySpan<byte> key)
    {
        var end = key[^NameBytes..];
        return new(new(end[..ContentHash.SizeBytes]), BinaryPrimitives.ReadUInt64BigEndian(end[ContentHash.SizeBytes..]));
    }

    /// <summary>The last word of a key.</summary>
    public static ulong WordAtEnd(ReadOnlySpan<byte> key) => BinaryPrimitives.ReadUInt64BigEndian(key[^WordBytes..]);

    /// <summary>A word of the key, counted behind the letter.</summary>
    public static ulong WordAt(ReadOnlySpan<byte> key, int index) => BinaryPrimitives.ReadUInt64BigEndian(key[(1 + (index * WordBytes))..]);

    /// <summary>The key of the direct child of a directory that a key is, or lies in.</summary>
    public static byte[] ChildOf(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> key)
    {
        var slash = key[directory.Length..].IndexOf(DirectoryMark);
        return slash < 0 ? key.ToArray() : key[..(directory.Length + slash + 1)].ToArray();
    }

    /// <summary>The path of an entry, whether it is a file or a directory.</summary>
    public static FilePath EntryPath(ReadOnlySpan<byte> key) => FilePath.OfStored(PathOf(key).TrimEnd(DirectoryMark));

    /// <summary>The path in the key of an entry; that of a directory ends in a slash.</summary>
    public static ReadOnlySpan<byte> PathOf(ReadOnlySpan<byte> key) => key[(1 + WordBytes)..];

    static byte[] Timed(byte table, DateTimeOffset at, CustomerBlock block) =>
        [.. Words(table, (ulong)RowTime.ToMicroseconds(at)), .. Named(0, block.Customer, block.Name).AsSpan(1)];

    static byte[] Named(byte table, CustomerId customer, BlockName block) =>
        [.. Words(table, customer.Value), .. block.Hash.ToArray(), .. Word(block.Generation)];

    static byte[] Named(byte table, CustomerId customer, BlockName block, ulong last) => [.. Named(table, customer, block), .. Word(last)];

    static byte[] Words(byte table, params ReadOnlySpan<ulong> words)
    {
        var key = new byte[1 + (words.Length * WordBytes)];
        key[0] = table;
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1 + (i * WordBytes)), words[i]);
        return key;
    }

    static byte[] Word(ulong value)
    {
        var bytes = new byte[WordBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
