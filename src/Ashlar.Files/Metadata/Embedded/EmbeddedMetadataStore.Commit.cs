using System.Text;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    // How exact the time of the last use is: a block that many share is not written for each of them.
    static readonly TimeSpan UsePrecision = TimeSpan.FromHours(1);

    // Blocks whose rows one transaction writes, about. It has them alone, and a latch stands for several blocks.
    const int MaxBlocksAlone = 128;

    /// <inheritdoc />
    public async Task<NamespaceEntry> CommitAsync(IntentToken intent, FileCommit file, CancellationToken cancellationToken = default)
    {
        Check(file);
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(intent.Customer);
        var use = new BlockUse(file.Blocks, file.Written, file.RequiredCopies, file.WantedCopies, file.Holders);
        Check(use);
        await SettleAsync(intent, use, file);
        // Whoever only adds a reference need not latch the block: the pin keeps it as it is, and goes with the write that adds the
        // reference. Whoever writes its row has it alone. Which it is shows when the intent is latched.
        var alone = new HashSet<ContentHash>();
        while (true)
        {
            var missing = FindMissing(intent.Customer, file.Path, file.CreateParents);
            var wanted = ToMake(intent.Customer, file.Path, missing).Intent(intent.Customer, intent.Id, isExclusive: true);
            foreach (var hash in alone) wanted.Block(intent.Customer, hash, isExclusive: true);
            using var held = await latches.TakeAsync(wanted);
            if (FindCommitted(intent.Customer, intent.Id) is { } done) return done;
            var opened = RequireHeld(intent);
            RequireParts(intent, file);
            if (!missing.SequenceEqual(FindMissing(intent.Customer, file.Path, file.CreateParents))) continue;
            var plan = new CommitPlan(this, intent, use);
            if (!alone.IsSupersetOf(plan.Changed))
            {
                alone.UnionWith(plan.Changed);
                continue;
            }

            var batch = new WriteBatch();
            var usage = new UsageChanges(intent.Customer);
            plan.AddTo(batch);
            EndIntent(batch, usage, opened, plan.Pinned);
            return await CommitAsync(batch, usage, account, intent.Customer, intent.Id, file, plan.Blocks, missing);
        }
    }

    /// <inheritdoc />
    public async Task<NamespaceEntry> CommitInlineAsync(
        CustomerId customer, ulong id, FileCommit file, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(id);
        Check(file);
        if (file.Inline is null) throw new ArgumentException("A file with blocks needs an intent.", nameof(file));
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        while (true)
        {
            var missing = FindMissing(customer, file.Path, file.CreateParents);
            using var held = await latches.TakeAsync(ToMake(customer, file.Path, missing).Intent(customer, id, isExclusive: true));
            RequireCustomer(customer);
            if (FindFree(customer, id, file.Path) is { } done) return done;
            if (!missing.SequenceEqual(FindMissing(customer, file.Path, file.CreateParents))) continue;
            return await CommitAsync(new WriteBatch(), new(customer), account, customer, id, file, [], missing);
        }
    }

    /// <inheritdoc />
    public Task<NamespaceEntry?> FindCommittedAsync(CustomerId customer, ulong id, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        accounts.Of(customer);
        return Task.FromResult(FindCommitted(customer, id));
    }

    async Task<NamespaceEntry> CommitAsync(
        WriteBatch batch, UsageChanges usage, Account account, CustomerId customer, ulong id, FileCommit file, List<FileBlock> blocks,
        List<FilePath> missing)
    {
        var now = Wall;
        var entry = new NamespaceEntry
        {
            Path = file.Path,
            Kind = NamespaceEntryKind.File,
            FileId = id,
            SizeBytes = file.Inline?.Length ?? blocks.Sum(block => (long)block.LengthBytes),
            Tag = file.Tag,
            CreatedAt = now,
            UpdatedAt = now,
        };
        usage.AddFile(file.Path, entry.SizeBytes);
        MakeRoom(batch, usage, customer, file.Path, file.Condition, missing);
        batch.Put(MetadataKeys.File(customer, file.Path), Files.Rows.Write(entry));
        var row = new FileRow
        {
            Path = file.Path,
            SizeBytes = entry.SizeBytes,
            CreatedAt = now,
            BlockCount = blocks.Count,
            Properties = file.Properties,
            Inline = file.Inline,
        };
        batch.Put(MetadataKeys.FileRow(customer, id), row.Write());
        AddBlockList(batch, customer, id, blocks);
        await WriteAsync(account, batch, usage);
        return entry;
    }

    static void AddBlockList(WriteBatch batch, CustomerId customer, ulong id, List<FileBlock> blocks)
    {
        var start = 0L;
        foreach (var page in blocks.Chunk(BlockListPage.MaxBlocks))
        {
            batch.Put(MetadataKeys.BlockList(customer, id, start), BlockListPage.Write(page));
            start += page.Sum(block => (long)block.LengthBytes);
        }

        foreach (var block in blocks.Select(block => block.Name).Distinct())
            batch.Put(MetadataKeys.Reference(customer, block, id), []);
    }

    /// <summary>Takes back pins that became references, the parts and the intent; other pins are left to the cleanup.</summary>
    void EndIntent(WriteBatch batch, UsageChanges usage, UploadIntent intent, IReadOnlySet<BlockName> used)
    {
        var (customer, id) = (intent.Token.Customer, intent.Token.Id);
        usage.EndsUpload = true;
        usage.Upload = id;
        foreach (var pin in ReadPins(customer, id, int.MaxValue))
        {
            if (used.Contains(pin.Block))
            {
                DeletePin(batch, intent.Token, pin.Block);
                usage.UnpinnedBytes += pin.LengthBytes;
            }
            else
            {
                usage.EndsUpload = false;
            }
        }

        usage.EndedParts = DeleteParts(batch, customer, id);
        if (intent.IsInParts) batch.Delete(MetadataKeys.PathIntent(customer, intent.Path, id));
        if (usage.EndsUpload) batch.Delete(MetadataKeys.Intent(customer, id));
        else Put(batch, intent with { IsReleased = true });
    }

    NamespaceEntry? FindCommitted(CustomerId customer, ulong id)
    {
        var key = MetadataKeys.FileRow(customer, id);
        // Its name may have changed since, and may change now.
        using var moment = store.CreateSnapshot();
        return moment.Get(key) is { } row ? Find(moment.Get, customer, ReadRow(key, row).Path) : null;
    }

    static void Check(FileCommit file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Inline is null == (file.Blocks.Count == 0))
            throw new ArgumentException("A file has either blocks or content of its own.", nameof(file));
        if (file.Inline?.Length > FileCommit.MaxInlineBytes)
            throw new ArgumentException($"Content of more than {FileCommit.MaxInlineBytes} bytes lies in blocks.", nameof(file));
        CheckTag(file.Tag, nameof(file));
    }

    static void CheckTag(string tag, string parameter)
    {
        if (tag.Length > FileCommit.MaxTagBytes || !Ascii.IsValid(tag))
            throw new ArgumentException($"A tag has at most {FileCommit.MaxTagBytes} ASCII characters.", parameter);
    }

    static void Check(BlockUse use)
    {
        ArgumentNullException.ThrowIfNull(use.Written);
        if (use.RequiredCopies < 1 || use.WantedCopies < use.RequiredCopies || use.WantedCopies > byte.MaxValue)
            throw new ArgumentException("At least one copy is required, and as many are wanted, at most 255.", nameof(use));
        // A range is found by sums of lengths.
        if (use.Blocks.Any(block => block.LengthBytes <= 0)) throw new ArgumentException("A block is not empty.", nameof(use));
    }

    /// <summary>Blocks that something is to refer to, with what is known of their copies.</summary>
    sealed record BlockUse(
        IReadOnlyList<FileBlock> Blocks, IReadOnlyDictionary<BlockName, IReadOnlyCollection<NodeId>> Written, int RequiredCopies,
        int WantedCopies, IReadOnlyCollection<NodeId> Holders);

    /// <summary>
    /// What a commit, or a part, does to the blocks that it names, by their rows as they are. The caller holds the latch of the intent, and
    /// has those alone that change.
    /// </summary>
    sealed class CommitPlan
    {
        readonly List<(BlockRow? Before, BlockRow After)> rows = [];
        readonly List<(BlockName From, FileBlock To)> passed = [];
        readonly HashSet<BlockName> pinned = [];
        readonly EmbeddedMetadataStore owner;
        readonly IntentToken intent;
        readonly BlockUse use;

        public CommitPlan(EmbeddedMetadataStore owner, IntentToken intent, BlockUse use)
        {
            (this.owner, this.intent, this.use) = (owner, intent, use);
            var names = new Dictionary<BlockName, BlockName>();
            foreach (var block in use.Blocks)
            {
                if (!names.TryGetValue(block.Name, out var name)) names.Add(block.Name, name = Refer(block));
                Blocks.Add(new(name, block.LengthBytes));
            }
        }

        /// <summary>The blocks, under the names that stay.</summary>
        public List<FileBlock> Blocks { get; } = [];

        /// <summary>The blocks under the names that are pinned.</summary>
        public IReadOnlySet<BlockName> Pinned => pinned;

        /// <summary>Contents whose rows change.</summary>
        public HashSet<ContentHash> Changed { get; } = [];

        public void AddTo(WriteBatch batch)
        {
            foreach (var (before, after) in rows) PutBlock(batch, before, after);
        }

        /// <summary>Passes pins on to the blocks that stay, where the intent goes on.</summary>
        public void AddPins(WriteBatch batch)
        {
            foreach (var (from, to) in passed)
            {
                DeletePin(batch, intent, from);
                // Who else may have asked for it has the name from before.
                PutPin(batch, intent, new(to.Name, to.LengthBytes, IsShared: true));
            }
        }

        // I1: the block is live, and its copies were durable on as many nodes as are required, before the file becomes visible.
        BlockName Refer(FileBlock block)
        {
            // The name may have passed to another one of the content since it was pinned; then the copies under it are surplus already.
            if (owner.FindPin(intent, block.Name.Hash) is not { Block: var pin }) throw new BlockNotPinnedException(block.Name);
            pinned.Add(pin);
            var nodes = pin == block.Name ? InOrder(use.Written.GetValueOrDefault(block.Name) ?? []) : [];
            var present = owner.FindBlock(intent.Customer, pin);
            if (present is null)
            {
                // Only the upload for which a generation was drawn pins it before it has a row.
                if (pin != block.Name) throw new BlockNotPinnedException(block.Name);
                var id = new CustomerBlock(intent.Customer, pin);
                present = owner.FindUsable(intent.Customer, pin.Hash);
                if (present is null) return Insert(id, block.LengthBytes, nodes);
                // Another upload of the content was first: its block is used, and the copies of this one are surplus, those too that are on
                // their way.
                if (nodes.Length > 0) Put(null, owner.Surplus(id, block.LengthBytes, nodes.Concat(use.Holders)));
                passed.Add((pin, new(present.Locations.Name, block.LengthBytes)));
                Changed.Add(pin.Hash);
                nodes = [];
            }

            Invariant.Require(present.Locations.State != BlockState.Deleting);
            if (present.Locations.LengthBytes != block.LengthBytes)
                throw new ArgumentException($"Block {block.Name} has {present.Locations.LengthBytes} bytes, not {block.LengthBytes}.");
            return Revive(present, nodes);
        }

        BlockName Insert(CustomerBlock id, int lengthBytes, NodeId[] nodes)
        {
            RequireCopies(id.Name, nodes.Length);
            Put(null, new(
                new()
                {
                    Customer = id.Customer,
                    Name = id.Name,
                    LengthBytes = lengthBytes,
                    State = BlockState.Live,
                    WantedCopies = use.WantedCopies,
                    Nodes = nodes,
                    Version = 1,
                    LastUsedAt = owner.Now,
                },
                DateTimeOffset.UnixEpoch));
            return id.Name;
        }

        BlockName Revive(BlockRow present, NodeId[] more)
        {
            var now = owner.Now;
            var before = present.Locations;
            var nodes = InOrder(before.Nodes.Concat(more));
            // I1: where the upload has looked, what it has found and made is what there is.
            RequireCopies(before.Name, more.Length > 0 ? more.Length : nodes.Length);
            var isNew = before.State != BlockState.Live
                || nodes.Length != before.Nodes.Count
                || use.WantedCopies > before.WantedCopies
                || (now - before.LastUsedAt).Duration() >= UsePrecision;
            if (isNew)
            {
                Put(present, Change(present, before with
                {
                    State = BlockState.Live,
                    Nodes = nodes,
                    WantedCopies = Math.Max(before.WantedCopies, use.WantedCopies),
                    LastUsedAt = now,
                }));
            }

            return before.Name;
        }

        void RequireCopies(BlockName block, int copies)
        {
            if (copies < use.RequiredCopies) throw new TooFewCopiesException(block, copies, use.RequiredCopies);
        }

        void Put(BlockRow? before, BlockRow after)
        {
            rows.Add((before, after));
            Changed.Add(after.Locations.Name.Hash);
        }
    }
}
