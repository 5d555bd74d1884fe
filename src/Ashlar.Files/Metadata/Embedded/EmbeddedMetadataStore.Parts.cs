using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    /// <inheritdoc />
    public async Task<UploadPart> PutPartAsync(
        IntentToken intent, UploadPart part, IReadOnlyDictionary<BlockName, IReadOnlyCollection<NodeId>> written, int requiredCopies,
        int wantedCopies, TimeSpan lease, IReadOnlyCollection<NodeId>? holders = null, CancellationToken cancellationToken = default)
    {
        Check(part);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lease, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        var use = new BlockUse(part.Blocks, written, requiredCopies, wantedCopies, holders ?? []);
        Check(use);
        var account = accounts.Of(intent.Customer);
        await SettleAsync(intent, use);
        var alone = new HashSet<ContentHash>();
        while (true)
        {
            var wanted = new LatchSet().Intent(intent.Customer, intent.Id, isExclusive: true);
            foreach (var hash in alone) wanted.Block(intent.Customer, hash, isExclusive: true);
            using var held = await latches.TakeAsync(wanted);
            var opened = RequireHeld(intent);
            if (!opened.IsInParts) throw new ArgumentException($"Upload {intent.Id:x16} does not come in parts.", nameof(intent));
            var plan = new CommitPlan(this, intent, use);
            if (!alone.IsSupersetOf(plan.Changed))
            {
                alone.UnionWith(plan.Changed);
                continue;
            }

            var batch = new WriteBatch();
            plan.AddTo(batch);
            plan.AddPins(batch);
            var stored = part with { Blocks = plan.Blocks, CreatedAt = Wall };
            var givenBack = GiveBackReplaced(batch, intent, stored);
            batch.Put(MetadataKeys.Part(intent.Customer, intent.Id, part.Number), Files.Rows.Write(stored));
            if (Now + lease > opened.LeaseEndsAt) Put(batch, opened with { LeaseEndsAt = Now + lease });
            var isNew = store.Get(MetadataKeys.Part(intent.Customer, intent.Id, part.Number)) is null;
            if (isNew) account.AddPart();
            try
            {
                await WriteAsync(batch);
            }
            catch when (isNew)
            {
                account.RemoveParts(1);
                throw;
            }

            account.Unpin(givenBack);
            return stored;
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<UploadPart>> ListPartsAsync(
        CustomerId customer, ulong id, int after, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        return Task.FromResult<IReadOnlyList<UploadPart>>(ReadPage<UploadPart>(
            KeyRange.Prefix(MetadataKeys.Parts(customer, id)),
            after == 0 ? null : MetadataKeys.Part(customer, id, after),
            limit,
            static (row, out item) =>
            {
                item = Files.Rows.ReadPart(row.Key, row.Value);
                return true;
            },
            cancellationToken));
    }

    /// <summary>
    /// Where a file has many blocks, makes their rows live before it refers to them, some at a time: who writes rows has the blocks alone,
    /// and of all at once nobody else could latch any. The pins keep them, and lead to them if no file comes.
    /// </summary>
    async Task SettleAsync(IntentToken intent, BlockUse use, FileCommit? file = null)
    {
        var blocks = use.Blocks.DistinctBy(block => block.Name).ToArray();
        if (blocks.Length <= MaxBlocksAlone) return;
        foreach (var page in blocks.Chunk(MaxBlocksAlone))
        {
            var wanted = new LatchSet().Intent(intent.Customer, intent.Id, isExclusive: false);
            foreach (var block in page) wanted.Block(intent.Customer, block.Name.Hash, isExclusive: true);
            using var held = await latches.TakeAsync(wanted);
            // Nothing is to be done for one that has made its file.
            if (FindIntent(intent.Customer, intent.Id) is null && FindCommitted(intent.Customer, intent.Id) is not null) return;
            RequireHeld(intent);
            var plan = Plan(page);
            if (plan.Changed.Count == 0) continue;
            var batch = new WriteBatch();
            plan.AddTo(batch);
            plan.AddPins(batch);
            await WriteAsync(batch);
        }

        CommitPlan Plan(FileBlock[] page)
        {
            try
            {
                return new(this, intent, use with { Blocks = page });
            }
            catch (BlockNotPinnedException)
            {
                // A part that was replaced has taken its pin along.
                if (file is not null) RequireParts(intent, file);
                throw;
            }
        }
    }

    /// <summary>
    /// Takes back the pins of a part that another one replaces, where neither that nor any other has the block: what is put again and again
    /// would lie on the nodes until the upload ends.
    /// </summary>
    /// <returns>How long the blocks are.</returns>
    long GiveBackReplaced(WriteBatch batch, IntentToken intent, UploadPart stored)
    {
        var key = MetadataKeys.Part(intent.Customer, intent.Id, stored.Number);
        if (store.Get(key) is not { } row) return 0;
        var replaced = Files.Rows.ReadPart(key, row).Blocks.Select(block => block.Name).ToHashSet();
        replaced.ExceptWith(stored.Blocks.Select(block => block.Name));
        if (replaced.Count == 0) return 0;
        using (var parts = store.Scan(KeyRange.Prefix(MetadataKeys.Parts(intent.Customer, intent.Id))))
        {
            while (parts.MoveNext())
            {
                var other = Files.Rows.ReadPart(parts.Key, parts.Value);
                if (other.Number != stored.Number) replaced.ExceptWith(other.Blocks.Select(block => block.Name));
            }
        }

        var bytes = 0L;
        foreach (var block in replaced)
        {
            if (FindPin(intent, block.Hash) is not { IsShared: false } pin || pin.Block != block) continue;
            Unpin(batch, intent, pin, []);
            bytes += pin.LengthBytes;
        }

        return bytes;
    }

    /// <summary>Tests that parts are what a commit took its blocks from: one may have been replaced since. The intent is latched.</summary>
    void RequireParts(IntentToken intent, FileCommit file)
    {
        if (file.Parts is not { } parts) return;
        var next = 0;
        foreach (var (number, tag) in parts)
        {
            var key = MetadataKeys.Part(intent.Customer, intent.Id, number);
            var part = store.Get(key) is { } row ? Files.Rows.ReadPart(key, row) : null;
            var isSame = part is not null
                && part.Tag == tag
                && part.Blocks.SequenceEqual(file.Blocks.Skip(next).Take(part.Blocks.Count));
            if (!isSame) throw new InvalidPartException(intent, number, "it was replaced meanwhile");
            next += part!.Blocks.Count;
        }

        if (next != file.Blocks.Count) throw new ArgumentException("A file of parts has their blocks alone.", nameof(file));
    }

    int DeleteParts(WriteBatch batch, CustomerId customer, ulong intent)
    {
        var count = 0;
        using var rows = store.Scan(KeyRange.Prefix(MetadataKeys.Parts(customer, intent)));
        for (; rows.MoveNext(); count++) batch.Delete(rows.Key);
        return count;
    }

    static void Check(UploadPart part)
    {
        ArgumentNullException.ThrowIfNull(part);
        if (part.Number is < 1 or > UploadPart.MaxNumber)
            throw new ArgumentException($"Parts have numbers from 1 to {UploadPart.MaxNumber}, not {part.Number}.", nameof(part));
        if (part.Blocks.Count > UploadPart.MaxBlocks)
            throw new ArgumentException($"A part has at most {UploadPart.MaxBlocks} blocks, not {part.Blocks.Count}.", nameof(part));
        CheckTag(part.Tag, nameof(part));
        if (part.SizeBytes != part.Blocks.Sum(block => (long)block.LengthBytes))
            throw new ArgumentException($"A part is as long as its blocks, not {part.SizeBytes} bytes.", nameof(part));
    }
}
