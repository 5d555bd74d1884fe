using Ashlar.Simulation;

namespace Ashlar.Files.Tests.Nodes;

/// <summary>What tests do with storage nodes again and again.</summary>
static class NodeExtensions
{
    public static CustomerId Owner { get; } = new(7);

    /// <summary>The name of content that one upload wrote.</summary>
    public static BlockName NameOf(byte[] content, ulong generation = 1) => new(ContentHash.Of(content), generation);

    /// <summary>Content that a number stands for.</summary>
    public static byte[] Content(int number, int length) => SeededRandom.For((ulong)number, "content").Bytes(length);

    /// <summary>Uploads a block in pieces.</summary>
    public static async Task<StoredBlock> PutAsync(
        this IStorageNode node, byte[] content, ulong generation = 1, int pieceBytes = 100_000, BlockName? name = null)
    {
        var ticket = await node.AppendAllAsync(content, pieceBytes);
        return await node.InstallAsync(ticket, name ?? NameOf(content, generation), default);
    }

    /// <summary>Uploads a block and does not end that.</summary>
    public static async Task<UploadTicket> AppendAllAsync(this IStorageNode node, byte[] content, int pieceBytes = 100_000)
    {
        var ticket = await node.BeginAsync(content.Length, default);
        for (var done = 0; done < content.Length; done += pieceBytes)
            await node.AppendAsync(ticket, done, content.AsMemory(done, Math.Min(pieceBytes, content.Length - done)), default);
        return ticket;
    }

    /// <summary>Reads all of a block.</summary>
    public static Task<byte[]> GetAsync(this IStorageNode node, BlockName name) => node.GetAsync(new CustomerBlock(Owner, name));

    /// <inheritdoc cref="GetAsync(IStorageNode, BlockName)"/>
    public static async Task<byte[]> GetAsync(this IStorageNode node, CustomerBlock block)
    {
        var buffer = new byte[BlockGeometry.UnitBytes * 8];
        var part = await node.ReadAsync(block, 0, buffer, default);
        Assert.Equal(part.Block.Digest.LengthBytes, part.LengthBytes);
        return buffer[..part.LengthBytes];
    }

    /// <summary>All that a node has, asked for in small pages.</summary>
    public static async Task<List<InventoryEntry>> ListAllAsync(this IStorageNode node, int pageLength = 3)
    {
        var all = new List<InventoryEntry>();
        while (await node.ListAsync(all.Count == 0 ? null : all[^1].Id, pageLength, default) is { Count: > 0 } page) all.AddRange(page);
        return all;
    }

    public static ValueTask<StoredBlock> InstallAsync(
        this IStorageNode node, UploadTicket ticket, CustomerBlock block, CancellationToken cancellation) =>
        node.InstallAsync(ticket, block, null, cancellation);

    // Blocks of the owner, by their names.
    public static ValueTask<StoredBlock> InstallAsync(
        this IStorageNode node, UploadTicket ticket, BlockName name, CancellationToken cancellation) =>
        node.InstallAsync(ticket, new CustomerBlock(Owner, name), null, cancellation);

    public static ValueTask<BlockPart> ReadAsync(
        this IStorageNode node, BlockName name, int offset, Memory<byte> destination, CancellationToken cancellation) =>
        node.ReadAsync(new CustomerBlock(Owner, name), offset, destination, cancellation);

    public static ValueTask<StoredBlock?> FindAsync(this IStorageNode node, BlockName name, CancellationToken cancellation) =>
        node.FindAsync(new CustomerBlock(Owner, name), cancellation);

    public static ValueTask<StoredBlock> VerifyAsync(this IStorageNode node, BlockName name, CancellationToken cancellation) =>
        node.VerifyAsync(new CustomerBlock(Owner, name), cancellation);

    public static ValueTask<bool> RemoveAsync(this IStorageNode node, BlockName name, CancellationToken cancellation) =>
        node.RemoveAsync(new CustomerBlock(Owner, name), null, cancellation);

    public static ValueTask<bool> RestoreAsync(this IStorageNode node, BlockName name, CancellationToken cancellation) =>
        node.RestoreAsync(new CustomerBlock(Owner, name), cancellation);

    /// <summary>The file of a block of the owner, in the directory of a node.</summary>
    public static string FileOf(string root, BlockName name) => FileOf(root, new CustomerBlock(Owner, name));

    /// <summary>The file of a block.</summary>
    public static string FileOf(string root, CustomerBlock block)
    {
        var text = block.ToString();
        return $"{root}/blocks/{text[0]}/{text[1]}/{text}";
    }

    /// <summary>What a request fails by.</summary>
    public static async Task<StorageNodeException> AssertRefusedAsync(NodeErrorKind kind, Func<Task> request)
    {
        var refusal = await Assert.ThrowsAsync<StorageNodeException>(request);
        Assert.Equal(kind, refusal.Kind);
        return refusal;
    }
}
