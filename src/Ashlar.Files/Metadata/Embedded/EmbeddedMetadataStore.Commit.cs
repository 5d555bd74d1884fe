using System.Text;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    // How exact the time of the last use is: a block that many share is not written for each of them.
    static readonly TimeSpan UsePrecision = TimeSpan.FromHours(1);

    /// <inheritdoc />
    public async Task<NamespaceEntry> CommitAsync(IntentToken intent, FileCommit file, CancellationToken cancellationToken = default)
    {
        Check(file);
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(intent.Customer);
        // Whoever only adds a reference shares the block; whoever writes its row has it alone. Which it is shows when it is latched.
        var written = file.Written.Keys.Select(block => block.Hash).ToHashSet();
        while (true)
        {
            var wanted = NamesOf(intent.Customer, file.Path).Intent(intent.Customer, intent.Id, isExclusive: true);
            foreach (var block in file.Blocks) wanted.Block(intent.Customer, block.Name.Hash, written.Contains(block.Name.Hash));
            using var held = await latches.TakeAsync(wanted);
            if (FindCommitted(intent.Customer, intent.Id) is { } done) return done;
            var opened = RequireHeld(intent);
            var plan = new CommitPlan(this, intent, file);
            if (!plan.Changed.IsSubsetOf(written))
            {
                written.UnionWith(plan.Changed);
                continue;
            }

            var batch = new WriteBatch();
            plan.AddTo(batch);
            EndIntent(batch, opened, plan.Pinned);
            return await CommitAsync(batch, account, intent.Customer, intent.Id, file, plan.Blocks);
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
        using var held = await latches.TakeAsync(NamesOf(customer, file.Path).Intent(customer, id, isExclusive: true));
        if (FindCommitted(customer, id) is { } done)
            return done.Path == file.Path ? done : throw new UploadIdInUseException(customer, id);
        if (FindIntent(customer, id) is not null) throw new UploadIdInUseException(customer, id);
        return await CommitAsync(new WriteBatch(), account, customer, id, file, []);
    }

    async Task<NamespaceEntry> CommitAsync(
        WriteBatch batch, Account account, CustomerId customer, ulong id, FileCommit file, List<FileBlock> blocks)
    {
        var now = Now;
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
        var usage = new UsageChanges(customer).AddFile(file.Path, entry.SizeBytes);
        MakeRoom(batch, usage, customer, file.Path, file.Condition);
        batch.Put(MetadataKeys.File(customer, file.Path), Files.Rows.Write(entry));
        var row = new FileRow
        {
            Path = file.Path,
            SizeBytes = entry.SizeBytes,
            CreatedAt = now,
            BlockCount = blocks.Count,
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

    /// <summary>Takes back the pins that became references, and the intent; pins of other blocks are left to the cleanup.</summary>
    void EndIntent(WriteBatch batch, UploadIntent intent, IReadOnlySet<BlockName> used)
    {
        var (customer, id) = (intent.Token.Customer, intent.Token.Id);
        var isAnyLeft = false;
        foreach (var (block, _) in ReadPins(customer, id, int.MaxValue))
        {
            if (used.Contains(block)) DeletePin(batch, intent.Token, block);
            else isAnyLeft = true;
        }

        if (isAnyLeft) batch.Put(MetadataKeys.Intent(customer, id), Files.Rows.Write(intent with { IsReleased = true }));
        else batch.Delete(MetadataKeys.Intent(customer, id));
    }

    NamespaceEntry? FindCommitted(CustomerId customer, ulong id)
    {
        var key = MetadataKeys.FileRow(customer, id);
        // Its name may have changed since, and may change now.
        using var moment = store.CreateSnapshot();
        return moment.Get(key) is { } row ? Find(moment.Get, customer, ReadRow(key, row).Path) : null;
    }

    static LatchSet NamesOf(CustomerId customer, FilePath path) => new LatchSet()
        .Path(customer, path.Parent, isExclusive: false)
        .Path(customer, path, isExclusive: true);

    static void Check(FileCommit file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Inline is null == (file.Blocks.Count == 0))
            throw new ArgumentException("A file has either blocks or content of its own.", nameof(file));
        if (file.Inline?.Length > FileCommit.MaxInlineBytes)
            throw new ArgumentException($"Content of more than {FileCommit.MaxInlineBytes} bytes lies in blocks.", nameof(file));
        if (file.Tag.Length > FileCommit.MaxTagBytes || !Ascii.IsValid(file.Tag))
            throw new ArgumentException($"A tag has at most {FileCommit.MaxTagBytes} ASCII characters.", nameof(file));
        if (file.RequiredCopies < 1 || file.WantedCopies < file.RequiredCopies || file.WantedCopies > byte.MaxValue)
            throw new ArgumentException("At least one copy is required, and as many are wanted, at most 255.", nameof(file));
        // A range is found by sums of lengths.
        if (file.Blocks.Any(block => block.LengthBytes <= 0)) throw new ArgumentException("A block is not empty.", nameof(file));
    }

    /// <summary>What a commit does to the blocks of its file, by their rows as they are. The caller holds their latches.</summary>
    sealed class CommitPlan
    {
        readonly List<(BlockRow? Before, BlockRow After)> rows = [];
        readonly EmbeddedMetadataStore owner;
        readonly IntentToken intent;
        readonly FileCommit file;

        public CommitPlan(EmbeddedMetadataStore owner, IntentToken intent, FileCommit file)
        {
            (this.owner, this.intent, this.file) = (owner, intent, file);
            var names = new Dictionary<BlockName, BlockName>();
            foreach (var block in file.Blocks)
            {
                if (!names.TryGetValue(block.Name, out var name)) names.Add(block.Name, name = Refer(block));
                Blocks.Add(new(name, block.LengthBytes));
            }

            Pinned = names.Keys.ToHashSet();
        }

        /// <summary>The file's blocks, under the names that stay.</summary>
        public List<FileBlock> Blocks { get; } = [];

        /// <summary>Blocks of the file under the names that were pinned.</summary>
        public IReadOnlySet<BlockName> Pinned { get; }

        /// <summary>Contents whose rows change.</summary>
        public HashSet<ContentHash> Changed { get; } = [];

        public void AddTo(WriteBatch batch)
        {
            foreach (var (before, after) in rows) PutBlock(batch, before, after);
        }

        // I1: the block is live, and its copies were durable on as many nodes as are required, before the file becomes visible.
        BlockName Refer(FileBlock block)
        {
            var id = new CustomerBlock(intent.Customer, block.Name);
            if (owner.store.Get(MetadataKeys.Pin(intent.Customer, block.Name, intent.Id)) is null)
                throw new BlockNotPinnedException(block.Name);
            var nodes = InOrder(file.Written.GetValueOrDefault(block.Name) ?? []);
            var present = owner.FindBlock(intent.Customer, block.Name);
            if (present is null)
            {
                // Only the writer of a generation pins it before it has a row.
                Invariant.Require(block.Name.Generation == intent.Id);
                present = owner.FindUsable(intent.Customer, block.Name.Hash);
                if (present is null) return Insert(id, block.LengthBytes, nodes);
                // Another upload of the content was first: its block is used, and the copies of this one are surplus.
                if (nodes.Length > 0) Put(null, owner.Surplus(id, block.LengthBytes, nodes));
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
                    WantedCopies = file.WantedCopies,
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
                || file.WantedCopies > before.WantedCopies
                || (now - before.LastUsedAt).Duration() >= UsePrecision;
            if (isNew)
            {
                Put(present, Change(present, before with
                {
                    State = BlockState.Live,
                    Nodes = nodes,
                    WantedCopies = Math.Max(before.WantedCopies, file.WantedCopies),
                    LastUsedAt = now,
                }));
            }

            return before.Name;
        }

        void RequireCopies(BlockName block, int copies)
        {
            if (copies < file.RequiredCopies) throw new TooFewCopiesException(block, copies, file.RequiredCopies);
        }

        void Put(BlockRow? before, BlockRow after)
        {
            rows.Add((before, after));
            Changed.Add(after.Locations.Name.Hash);
        }
    }
}
