using System.Text;

namespace Ashlar.Files;

/// <summary>The rows that are read and written whole: encodings of what the interfaces speak of. docs/formats/file-metadata.md.</summary>
static class Rows
{
    // A directory that was made for what is in it.
    const byte ImplicitDirectory = 2;

    public const FileRights AllRights = FileRights.Read | FileRights.Write | FileRights.Administer;

    const byte ReleasedFlag = 1, PartsFlag = 2, ParentsFlag = 4;
    const int EntryBytes = 96, BlockBytes = 64, IntentBytes = 128, CustomerBytes = 64;

    public static ReadOnlySpan<byte> Write(NamespaceEntry entry)
    {
        var kind = entry.IsImplicit ? ImplicitDirectory : (byte)entry.Kind;
        var row = new RowWriter(EntryBytes).Byte(kind).Time(entry.CreatedAt).Time(entry.UpdatedAt);
        if (entry.Kind == NamespaceEntryKind.File) row.UInt64(entry.FileId).Int64(entry.SizeBytes).Text8(entry.Tag);
        return row.Written;
    }

    public static NamespaceEntry ReadEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var path = MetadataKeys.PathOf(key);
        var kind = row.Byte();
        if (kind > ImplicitDirectory) throw row.Damaged($"there is no kind {kind}");
        var isDirectory = kind != (byte)NamespaceEntryKind.File;
        if (path.IsEmpty || isDirectory != (path[^1] == '/')) throw row.Damaged("the kind is not that of the key");
        var entry = new NamespaceEntry
        {
            Path = FilePath.OfStored(isDirectory ? path[..^1] : path),
            Kind = isDirectory ? NamespaceEntryKind.Directory : NamespaceEntryKind.File,
            IsImplicit = kind == ImplicitDirectory,
            CreatedAt = row.Time(),
            UpdatedAt = row.Time(),
        };
        if (!isDirectory) entry = entry with { FileId = row.UInt64(), SizeBytes = row.Int64(), Tag = row.Text8() };
        row.End();
        return entry;
    }

    public static ReadOnlySpan<byte> Write(BlockLocations block, DateTimeOffset condemnedAt)
    {
        var row = new RowWriter(BlockBytes)
            .Byte((byte)block.State)
            .Byte(checked((byte)block.WantedCopies))
            .Int32(block.LengthBytes)
            .UInt64(block.Version)
            .Time(block.LastUsedAt)
            .Time(condemnedAt)
            .UInt16(block.Nodes.Count);
        foreach (var node in block.Nodes) row.UInt64(node.Value);
        return row.Written;
    }

    public static BlockRow ReadBlock(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var (customer, name) = MetadataKeys.BlockAtEnd(key);
        var state = (BlockState)row.Byte();
        if (state is < BlockState.Live or > BlockState.Deleting) throw row.Damaged($"there is no state {state}");
        var (wanted, length, version, lastUsed, condemnedAt) = (row.Byte(), row.Int32(), row.UInt64(), row.Time(), row.Time());
        var nodes = new NodeId[row.Count(sizeof(ulong))];
        for (var i = 0; i < nodes.Length; i++) nodes[i] = new(row.UInt64());
        row.End();
        return new(
            new()
            {
                Customer = customer,
                Name = name,
                LengthBytes = length,
                State = state,
                WantedCopies = wanted,
                Nodes = nodes,
                Version = version,
                LastUsedAt = lastUsed,
            },
            condemnedAt);
    }

    public static ReadOnlySpan<byte> Write(FileProperties properties) => new RowWriter(256).Properties(properties).Written;

    public static FileProperties ReadProperties(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var properties = row.Properties();
        row.End();
        return properties;
    }

    public static ReadOnlySpan<byte> Write(UploadPart part)
    {
        var row = new RowWriter(64 + part.Tag.Length + (part.Blocks.Count * BlockListPage.BlockBytes))
            .Int64(part.SizeBytes)
            .Time(part.CreatedAt)
            .Text8(part.Tag)
            .Properties(part.Properties)
            .UInt16(part.Blocks.Count);
        foreach (var block in part.Blocks) row.Block(block.Name).Int32(block.LengthBytes);
        return row.Written;
    }

    public static UploadPart ReadPart(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var (size, createdAt, tag, properties) = (row.Int64(), row.Time(), row.Text8(), row.Properties());
        var blocks = new FileBlock[row.Count(BlockListPage.BlockBytes)];
        for (var i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new(row.Block(), row.Int32());
            if (blocks[i].LengthBytes == 0) throw row.Damaged("a block is empty");
        }

        row.End();
        var number = MetadataKeys.WordAt(key, 2);
        if (number is 0 or > UploadPart.MaxNumber) throw row.Damaged($"there is no part {number}");
        if (size != blocks.Sum(block => (long)block.LengthBytes)) throw row.Damaged($"a part of {size} bytes has blocks of others");
        return new()
        {
            Number = (int)number,
            SizeBytes = size,
            CreatedAt = createdAt,
            Tag = tag,
            Properties = properties,
            Blocks = blocks,
        };
    }

    public static ReadOnlySpan<byte> Write(UploadIntent intent) => new RowWriter(IntentBytes)
        .Byte((byte)(
            (intent.IsReleased ? ReleasedFlag : 0) | (intent.IsInParts ? PartsFlag : 0) | (intent.CreateParents ? ParentsFlag : 0)))
        .UInt64(intent.Token.Fence)
        .Time(intent.OpenedAt)
        .Time(intent.LeaseEndsAt)
        .Text8(intent.Owner)
        .Path(intent.Path)
        .Properties(intent.Properties)
        .Written;

    public static UploadIntent ReadIntent(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var flags = row.Byte();
        if (flags > (ReleasedFlag | PartsFlag | ParentsFlag)) throw row.Damaged($"there are no flags {flags:x2}");
        var intent = new UploadIntent
        {
            Token = new(new(MetadataKeys.WordAt(key, 0)), MetadataKeys.WordAt(key, 1), row.UInt64()),
            OpenedAt = row.Time(),
            LeaseEndsAt = row.Time(),
            Owner = row.Text8(),
            Path = row.Path(),
            Properties = row.Properties(),
            IsReleased = (flags & ReleasedFlag) != 0,
            IsInParts = (flags & PartsFlag) != 0,
            CreateParents = (flags & ParentsFlag) != 0,
        };
        row.End();
        return intent;
    }

    public static ReadOnlySpan<byte> Write(Customer customer) => new RowWriter(CustomerBytes)
        .Int64(customer.Quota.Bytes)
        .Int64(customer.Quota.Files)
        .Time(customer.CreatedAt)
        .Rest(Encoding.UTF8.GetBytes(customer.Name))
        .Written;

    public static Customer ReadCustomer(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var quota = new Quota(row.Int64(), row.Int64());
        var createdAt = row.Time();
        return new(new(MetadataKeys.WordAt(key, 0)), row.TextToEnd(), quota, createdAt);
    }

    public static ReadOnlySpan<byte> Write(User user) => new RowWriter(10).Byte((byte)user.Rights).Time(user.CreatedAt).Written;

    public static User ReadUser(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var rights = (FileRights)row.Byte();
        if ((rights & ~AllRights) != FileRights.None) throw row.Damaged($"there are no rights {(int)rights:x2}");
        var user = new User(
            new(MetadataKeys.WordAt(key, 0)), Encoding.UTF8.GetString(key[(1 + sizeof(ulong))..]), rights, row.Time());
        row.End();
        return user;
    }

    public static ReadOnlySpan<byte> Write(AccessKey key) => new RowWriter(128)
        .UInt64(key.Customer.Value)
        .Time(key.CreatedAt)
        .Int64(key.ExpiresAt is { } end ? RowTime.ToMicroseconds(end) : -1)
        .Text8(key.User)
        .Text8(key.Secret)
        .Written;

    public static AccessKey ReadKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var (customer, createdAt, expiresAt) = (new CustomerId(row.UInt64()), row.Time(), row.TimeOrNone());
        var (user, secret) = (row.Text8(), row.Text8());
        row.End();
        return new(Encoding.ASCII.GetString(key[1..]), secret, customer, user, createdAt, expiresAt);
    }

    public static ReadOnlySpan<byte> WriteNote(ReadOnlySpan<byte> value) => new RowWriter(value.Length + 1).Rest(value).Written;

    public static byte[] ReadNote(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var note = row.Rest().ToArray();
        row.End();
        return note;
    }

    public static ReadOnlySpan<byte> Write(Usage usage) =>
        new RowWriter(25).Int64(usage.Bytes).Int64(usage.Files).Int64(usage.Directories).Written;

    public static Usage ReadUsage(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var usage = new Usage(row.Signed64(), row.Signed64(), row.Signed64());
        row.End();
        return usage;
    }
}

/// <summary>The row of a block.</summary>
/// <param name="Locations">What others see of it.</param>
/// <param name="CondemnedAt">When it was condemned, if it is: part of the key under which the collector finds it.</param>
sealed record BlockRow(BlockLocations Locations, DateTimeOffset CondemnedAt)
{
    public CustomerBlock Id => new(Locations.Customer, Locations.Name);
}
