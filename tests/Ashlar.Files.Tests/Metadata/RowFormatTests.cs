using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Files.Tests;

/// <summary>docs/formats/file-metadata.md, byte by byte; and rows that are not what was written.</summary>
public sealed class RowFormatTests(ITestOutputHelper output)
{
    const string Hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const string Customer = "0000000000000005", Generation = "00000000000000aa", One = "0100000000000000", Two = "0200000000000000";

    static readonly CustomerId Id = new(5);
    static readonly BlockName Block = new(ContentHash.Of("abc"u8), 0xAA);
    static readonly CustomerBlock CustomerBlock = new(Id, Block);
    static readonly DateTimeOffset AtOne = RowTime.FromMicroseconds(1), AtTwo = RowTime.FromMicroseconds(2);
    const string PropertiesHex = "0200 01 61 0100 31 02 6263 0000";

    static readonly FileProperties Properties = FileProperties.Of([new("bc", ""), new("a", "1")]);
    static readonly FilePath Path = FilePath.Parse("/a/b");

    static (byte[] Key, byte[] Row, string Golden)[] All =>
    [
        (
            MetadataKeys.File(Id, Path),
            Rows.Write(new NamespaceEntry
            {
                Path = Path,
                Kind = NamespaceEntryKind.File,
                FileId = 0xAA,
                SizeBytes = 0x1234,
                Tag = "tag",
                CreatedAt = AtOne,
                UpdatedAt = AtTwo,
            }).ToArray(),
            $"01 00 {One} {Two} aa00000000000000 3412000000000000 03 746167"),
        (
            MetadataKeys.Directory(Id, Path),
            Rows.Write(new NamespaceEntry
            {
                Path = Path,
                Kind = NamespaceEntryKind.Directory,
                CreatedAt = AtOne,
                UpdatedAt = AtTwo,
            }).ToArray(),
            $"01 01 {One} {Two}"),
        (
            MetadataKeys.Directory(Id, Path),
            Rows.Write(new NamespaceEntry
            {
                Path = Path,
                Kind = NamespaceEntryKind.Directory,
                IsImplicit = true,
                CreatedAt = AtOne,
                UpdatedAt = AtTwo,
            }).ToArray(),
            $"01 02 {One} {Two}"),
        (
            MetadataKeys.FileRow(Id, 0xAA),
            new FileRow { Path = Path, SizeBytes = 3, CreatedAt = AtOne, BlockCount = 0, Inline = "abc"u8.ToArray() }.Write().ToArray(),
            $"01 00 0300000000000000 {One} 00000000 0300 612f62 0000 616263"),
        (
            MetadataKeys.FileRow(Id, 0xAB),
            new FileRow { Path = Path, SizeBytes = 3, CreatedAt = AtOne, BlockCount = 1, Properties = Properties }.Write().ToArray(),
            $"01 01 0300000000000000 {One} 01000000 0300 612f62 {PropertiesHex}"),
        (MetadataKeys.DirectoryProperties(Id, Path), Rows.Write(Properties).ToArray(), $"01 {PropertiesHex}"),
        (
            MetadataKeys.Part(Id, 0xAA, 7),
            Rows.Write(new UploadPart
            {
                Number = 7,
                SizeBytes = 3,
                Tag = "tag",
                CreatedAt = AtOne,
                Properties = Properties,
                Blocks = [new(Block, 3)],
            }).ToArray(),
            $"01 0300000000000000 {One} 03 746167 {PropertiesHex} 0100 {Hash} aa00000000000000 03000000"),
        (MetadataKeys.IntentPin(Id, 0xAA, Block), new Pin(Block, 3, IsShared: true).Write().ToArray(), "01 03000000 01"),
        (
            MetadataKeys.User(Id, "me"u8),
            Rows.Write(new User(Id, "me", FileRights.Read | FileRights.Administer, AtOne)).ToArray(),
            $"01 05 {One}"),
        (
            MetadataKeys.Key("AB"u8),
            Rows.Write(new AccessKey("AB", "secret", Id, "me", AtOne, null)).ToArray(),
            $"01 0500000000000000 {One} ffffffffffffffff 02 6d65 06 736563726574"),
        (
            MetadataKeys.BlockList(Id, 0xAA, 0x1000),
            BlockListPage.Write([new(Block, 3)]).ToArray(),
            $"01 0100 {Hash} aa00000000000000 03000000"),
        (
            MetadataKeys.Block(Id, Block),
            Rows.Write(
                new()
                {
                    Customer = Id,
                    Name = Block,
                    LengthBytes = 3,
                    State = BlockState.Condemned,
                    WantedCopies = 3,
                    Nodes = [new(1), new(2)],
                    Version = 9,
                    LastUsedAt = AtOne,
                },
                AtTwo).ToArray(),
            $"01 02 03 03000000 0900000000000000 {One} {Two} 0200 {One} {Two}"),
        (
            MetadataKeys.Intent(Id, 0xAA),
            Rows.Write(new UploadIntent
            {
                Token = new(Id, 0xAA, 7),
                Path = Path,
                Owner = "me",
                OpenedAt = AtOne,
                LeaseEndsAt = AtTwo,
                IsReleased = true,
                IsInParts = true,
                CreateParents = true,
                Properties = Properties,
            }).ToArray(),
            $"01 07 0700000000000000 {One} {Two} 02 6d65 0300 612f62 {PropertiesHex}"),
        (
            MetadataKeys.Customer(Id),
            Rows.Write(new Customer(Id, "name", new(0x10, 0x20), AtOne)).ToArray(),
            $"01 1000000000000000 2000000000000000 {One} 6e616d65"),
        (
            MetadataKeys.Usage(Id, FilePath.Parse("/a"), 9),
            Rows.Write(new Usage(-1, 1, 2)).ToArray(),
            $"01 ffffffffffffffff {One} {Two}"),
    ];

    [Fact]
    public void Rows_are_as_the_format_says()
    {
        foreach (var (_, row, golden) in All) Assert.Equal(golden.Replace(" ", "", StringComparison.Ordinal), Hex(row));
    }

    [Fact]
    public void Keys_are_as_the_format_says()
    {
        (byte[], string)[] keys =
        [
            (MetadataKeys.Format, "4d"),
            (MetadataKeys.Customer(Id), $"43 {Customer}"),
            (MetadataKeys.CustomerName("me"u8), "63 6d65"),
            (MetadataKeys.File(Id, Path), $"4e {Customer} 612f62"),
            (MetadataKeys.Directory(Id, Path), $"4e {Customer} 612f622f"),
            (MetadataKeys.FileRow(Id, 0xAA), $"46 {Customer} {Generation}"),
            (MetadataKeys.BlockList(Id, 0xAA, 0x1000), $"4c {Customer} {Generation} 0000000000001000"),
            (MetadataKeys.Block(Id, Block), $"42 {Customer} {Hash} {Generation}"),
            (MetadataKeys.Reference(Id, Block, 0xAA), $"52 {Customer} {Hash} {Generation} {Generation}"),
            (MetadataKeys.Pin(Id, Block, 0xAA), $"50 {Customer} {Hash} {Generation} {Generation}"),
            (MetadataKeys.Intent(Id, 0xAA), $"49 {Customer} {Generation}"),
            (MetadataKeys.PathIntent(Id, Path, 0xAA), $"69 {Customer} 612f62 00 {Generation}"),
            (MetadataKeys.IntentPin(Id, 0xAA, Block), $"70 {Customer} {Generation} {Hash} {Generation}"),
            (MetadataKeys.Idle(AtOne, CustomerBlock), $"51 0000000000000001 {Customer} {Hash} {Generation}"),
            (MetadataKeys.Condemned(AtOne, CustomerBlock), $"4b 0000000000000001 {Customer} {Hash} {Generation}"),
            (MetadataKeys.Deleting(CustomerBlock), $"44 {Customer} {Hash} {Generation}"),
            (MetadataKeys.UnderReplicated(2, CustomerBlock), $"55 02 {Customer} {Hash} {Generation}"),
            (MetadataKeys.Node(new(0xAA), CustomerBlock), $"56 {Generation} {Customer} {Hash} {Generation}"),
            (MetadataKeys.Generations, "47"),
            (MetadataKeys.Time, "74"),
            (MetadataKeys.DirectoryProperties(Id, Path), $"41 {Customer} 612f62"),
            (MetadataKeys.Part(Id, 0xAA, 7), $"54 {Customer} {Generation} 0000000000000007"),
            (MetadataKeys.User(Id, "me"u8), $"57 {Customer} 6d65"),
            (MetadataKeys.Key("AB"u8), "59 4142"),
            (MetadataKeys.UserKey(Id, "me"u8, "AB"u8), $"79 {Customer} 6d65 00 4142"),
            (MetadataKeys.Note("AB"u8), "78 4142"),
            (MetadataKeys.Usage(Id, FilePath.Parse("/a"), 9), $"53 {Customer} 61 00 09"),
        ];
        foreach (var (key, golden) in keys) Assert.Equal(golden.Replace(" ", "", StringComparison.Ordinal), Hex(key));
        Assert.Equal(CustomerBlock, MetadataKeys.BlockAtEnd(MetadataKeys.Idle(AtOne, CustomerBlock)));
        Assert.Equal(0x1000UL, MetadataKeys.WordAt(MetadataKeys.BlockList(Id, 0xAA, 0x1000), 2));
    }

    [Fact]
    public void Rows_come_back_as_they_were_written()
    {
        foreach (var (key, row, _) in All) Assert.Equal(Hex(row), Hex(Read(key, row)()));
    }

    [Fact]
    public void A_row_that_is_not_what_was_written_is_an_error_that_names_it()
    {
        foreach (var (key, row, _) in All)
        {
            // Cut anywhere, longer, or of another version. Text and content at the end of a row are as long as the row.
            var isOpen = key[0] is MetadataKeys.CustomerTable;
            var damaged = Enumerable.Range(0, isOpen ? 25 : row.Length).Select(length => row[..length]).Append([2, .. row[1..]]).ToList();
            if (!isOpen) damaged.Add([.. row, 0]);
            foreach (var wrong in damaged)
            {
                var error = Assert.Throws<CorruptDataException>(() => Read(key, wrong));
                Assert.Contains(Hex(key), error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_mutated_row_is_an_error_or_a_row_and_takes_no_memory_by_its_numbers()
    {
        foreach (var (key, row, _) in All)
        {
            var seed = TestSeeds.First($"{nameof(RowFormatTests)} {key[0]}");
            var result = ParserFuzz.Run([row], TestTier.Choose(2000, 200_000), seed, allowedBytes: 16 << 10, input =>
            {
                try
                {
                    Read(key, input);
                    return true;
                }
                catch (CorruptDataException)
                {
                    return false;
                }
            });
            output.WriteLine(result.ToJson($"file metadata {(char)key[0]}", seed));
        }
    }

    /// <summary>Reads a row, and gives what writes it again.</summary>
    static Func<byte[]> Read(byte[] key, byte[] row)
    {
        switch (key[0])
        {
            case MetadataKeys.EntryTable:
                var entry = Rows.ReadEntry(key, row);
                return () => Rows.Write(entry).ToArray();
            case MetadataKeys.FileTable:
                var file = FileRow.Read(key, row);
                return () => file.Write().ToArray();
            case MetadataKeys.BlockListTable:
                var page = BlockListPage.Read(key, row);
                return () => BlockListPage.Write(page).ToArray();
            case MetadataKeys.BlockTable:
                var block = Rows.ReadBlock(key, row);
                return () => Rows.Write(block.Locations, block.CondemnedAt).ToArray();
            case MetadataKeys.IntentTable:
                var intent = Rows.ReadIntent(key, row);
                return () => Rows.Write(intent).ToArray();
            case MetadataKeys.DirectoryPropertiesTable:
                var properties = Rows.ReadProperties(key, row);
                return () => Rows.Write(properties).ToArray();
            case MetadataKeys.IntentPinTable:
                var pin = Pin.Read(key, row);
                return () => pin.Write().ToArray();
            case MetadataKeys.PartTable:
                var part = Rows.ReadPart(key, row);
                return () => Rows.Write(part).ToArray();
            case MetadataKeys.UserTable:
                var user = Rows.ReadUser(key, row);
                return () => Rows.Write(user).ToArray();
            case MetadataKeys.KeyTable:
                var accessKey = Rows.ReadKey(key, row);
                return () => Rows.Write(accessKey).ToArray();
            case MetadataKeys.NoteTable:
                var note = Rows.ReadNote(key, row);
                return () => Rows.WriteNote(note).ToArray();
            case MetadataKeys.CustomerTable:
                var customer = Rows.ReadCustomer(key, row);
                return () => Rows.Write(customer).ToArray();
            default:
                var usage = Rows.ReadUsage(key, row);
                return () => Rows.Write(usage).ToArray();
        }
    }

    static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
