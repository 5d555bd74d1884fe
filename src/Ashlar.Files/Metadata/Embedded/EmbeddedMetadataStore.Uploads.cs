using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    // Pins that one transaction of a release takes back.
    const int ReleasePage = 256;

    /// <inheritdoc />
    public async Task<UploadIntent> OpenIntentAsync(
        CustomerId customer, IntentRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (id, path, lease) = (request.Id, request.Path, request.Lease);
        ArgumentOutOfRangeException.ThrowIfZero(id, nameof(request));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lease, TimeSpan.Zero, nameof(request));
        CheckName(request.Owner, nameof(request));
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        using var held = await latches.TakeAsync(
            new LatchSet().Customer(customer, isExclusive: false).Intent(customer, id, isExclusive: true));
        RequireCustomer(customer);
        var present = FindIntent(customer, id);
        var isAnothers = present is not null
            && (present.IsReleased || present.Path != path || present.IsInParts != request.IsInParts);
        if (isAnothers || store.Get(MetadataKeys.FileRow(customer, id)) is not null)
            throw new UploadIdInUseException(customer, id);
        var now = Now;
        // Each opening writes, so the sequence grows from one to the next, also beyond the end of an intent: no fence comes twice.
        var fence = store.VisibleSequence;
        Invariant.Require(present is null || fence > present.Token.Fence);
        var intent = new UploadIntent
        {
            Token = new(customer, id, fence),
            Path = path,
            Owner = request.Owner,
            OpenedAt = present?.OpenedAt ?? Wall,
            LeaseEndsAt = now + lease,
            IsReleased = false,
            IsInParts = request.IsInParts,
            CreateParents = present?.CreateParents ?? request.CreateParents,
            Properties = present?.Properties ?? request.Properties,
        };
        // Before a byte comes. What it replaces will be given back.
        var file = request.ExpectedBytes is { } expected ? new UsageChanges(customer).AddFile(path, expected).Total : default(Usage?);
        var pinned = present is null ? 0 : ReadPins(customer, id, int.MaxValue).Sum(pin => (long)pin.LengthBytes);
        account.OpenUpload(id, present is null, file, pinned, FindSize(customer, path));
        try
        {
            var batch = new WriteBatch();
            Put(batch, intent);
            if (intent.IsInParts) batch.Put(MetadataKeys.PathIntent(customer, path, id), []);
            await WriteAsync(batch);
        }
        catch when (present is null)
        {
            account.EndUpload(id);
            throw;
        }

        return Shown(intent);
    }

    /// <inheritdoc />
    public Task<UploadIntent?> FindIntentAsync(CustomerId customer, ulong id, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(FindIntent(customer, id) is { IsReleased: false } open ? Shown(open) : null);
    }

    /// <inheritdoc />
    public async Task<UploadIntent> RenewIntentAsync(
        IntentToken intent, TimeSpan lease, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lease, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().Intent(intent.Customer, intent.Id, isExclusive: true));
        var renewed = RequireHeld(intent) with { LeaseEndsAt = Now + lease };
        await WriteAsync(renewed);
        return Shown(renewed);
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<PinnedBlock>> PinAsync(
        IntentToken intent, IReadOnlyList<WantedBlock> blocks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        cancellationToken.ThrowIfCancellationRequested();
        var customer = intent.Customer;
        var account = accounts.Of(customer);
        // Alone: two that pin one content get one name. The blocks are shared; whoever condemns or deletes one has it alone.
        var wanted = new LatchSet().Intent(customer, intent.Id, isExclusive: true);
        foreach (var block in blocks) wanted.Block(customer, block.Hash, isExclusive: false);
        using var held = await latches.TakeAsync(wanted);
        var opened = RequireHeld(intent);
        var pinned = new Dictionary<ContentHash, PinnedBlock>();
        var batch = new WriteBatch();
        var pinnedBytes = 0L;
        foreach (var block in blocks)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(block.LengthBytes, nameof(blocks));
            if (pinned.ContainsKey(block.Hash)) continue;
            var pin = FindPin(intent, block.Hash);
            var known = pin is { } present ? FindBlock(customer, present.Block) : FindUsable(customer, block.Hash);
            if (known is not null && known.Locations.LengthBytes != block.LengthBytes)
            {
                throw new ArgumentException(
                    $"Block {block.Hash} has {known.Locations.LengthBytes} bytes, not {block.LengthBytes}.", nameof(blocks));
            }

            var chosen = pin?.Block ?? known?.Locations.Name ?? new BlockName(block.Hash, DrawGeneration());
            pinned.Add(block.Hash, new(chosen, known?.Locations));
            if (pin is { } once)
            {
                if (!once.IsShared && opened.IsInParts) PutPin(batch, intent, once with { IsShared = true });
                continue;
            }

            Invariant.Require(known is not null || FindBlock(customer, chosen) is null);
            PutPin(batch, intent, new(chosen, block.LengthBytes, IsShared: false));
            pinnedBytes += block.LengthBytes;
        }

        // What they may replace will be given back. All that is pinned is counted, so it is given once, however many replace it.
        var announced = account.Pin(intent.Id, pinnedBytes, FindSize(customer, opened.Path) ?? 0);
        try
        {
            if (batch.Count > 0) await WriteAsync(batch);
        }
        catch
        {
            account.Unpin(pinnedBytes, intent.Id, announced);
            throw;
        }

        return [.. blocks.Select(block => pinned[block.Hash])];
    }

    /// <inheritdoc />
    public async Task<bool> ReleaseIntentAsync(
        IntentToken intent, IReadOnlyCollection<NodeId> holders, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(holders);
        cancellationToken.ThrowIfCancellationRequested();
        var customer = intent.Customer;
        while (true)
        {
            var page = ReadPins(customer, intent.Id, ReleasePage);
            var wanted = new LatchSet().Intent(customer, intent.Id, isExclusive: true);
            foreach (var pin in page) wanted.Block(customer, pin.Block.Hash, isExclusive: true);
            using var held = await latches.TakeAsync(wanted);
            if (FindIntent(customer, intent.Id) is not { } present) return true;
            var account = accounts.Of(customer);
            if (!present.IsReleased && present.LeaseEndsAt > Now && present.Token.Fence != intent.Fence)
                throw new IntentLostException(intent, "somebody else holds it");
            if (!page.SequenceEqual(ReadPins(customer, intent.Id, ReleasePage))) continue;

            var batch = new WriteBatch { MayUseReserve = true };
            foreach (var pin in page) Unpin(batch, intent, pin, holders);
            // From the first page on nobody can commit it. The row goes last: until then the rest is found from it.
            var isDone = page.Count < ReleasePage;
            var parts = 0;
            if (present.IsInParts) batch.Delete(MetadataKeys.PathIntent(customer, present.Path, intent.Id));
            if (isDone)
            {
                parts = DeleteParts(batch, customer, intent.Id);
                batch.Delete(MetadataKeys.Intent(customer, intent.Id));
            }
            else
            {
                Put(batch, present with { IsReleased = true });
            }

            await WriteAsync(batch);
            account.Unpin(page.Sum(pin => (long)pin.LengthBytes));
            account.RemoveParts(parts);
            if (isDone) account.EndUpload(intent.Id);
            else account.GiveUp(intent.Id);
            return isDone;
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<UploadIntent>> ListIntentsAsync(
        CustomerId? only, IntentToken? after, bool onlyEnded, int limit, CancellationToken cancellationToken = default)
    {
        var now = Now;
        return Task.FromResult<IReadOnlyList<UploadIntent>>(ReadPage<UploadIntent>(
            KeyRange.Prefix(only is { } customer ? MetadataKeys.Intents(customer) : MetadataKeys.Table(MetadataKeys.IntentTable)),
            after is { } last ? MetadataKeys.Intent(last.Customer, last.Id) : null,
            limit,
            (row, out item) =>
            {
                var intent = Files.Rows.ReadIntent(row.Key, row.Value);
                item = Shown(intent);
                return !onlyEnded || intent.IsReleased || intent.LeaseEndsAt <= now;
            },
            cancellationToken,
            isLenient: onlyEnded));
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<UploadIntent>> ListPartUploadsAsync(
        CustomerId customer, PartUploadQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(query.Limit, nameof(query));
        accounts.Of(customer);
        var found = new List<UploadIntent>();
        var (range, after) = (KeyRange.Prefix(MetadataKeys.PathIntents(customer, query.Prefix.Span)), default(byte[]));
        if (!query.After.IsEmpty) after = MetadataKeys.PathIntents(customer, query.After.Span);
        // As of one moment, so that each row leads to its upload.
        using var moment = store.CreateSnapshot();
        if (after is not null && after.AsSpan().SequenceCompareTo(range.Start) > 0)
        {
            if (after.AsSpan().SequenceCompareTo(range.End) >= 0) return Task.FromResult<IReadOnlyList<UploadIntent>>(found);
            range = KeyRange.Between([.. after, 0], range.End);
        }

        using var rows = moment.Scan(range);
        while (found.Count < query.Limit && rows.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = MetadataKeys.Intent(customer, MetadataKeys.WordAtEnd(rows.Key));
            if (moment.Get(key) is not { } row) throw Missing(rows.Key, "it leads to no upload");
            if (Files.Rows.ReadIntent(key, row) is { IsReleased: false } open) found.Add(Shown(open));
        }

        return Task.FromResult<IReadOnlyList<UploadIntent>>(found);
    }

    void Unpin(WriteBatch batch, IntentToken intent, Pin pin, IReadOnlyCollection<NodeId> holders)
    {
        var id = new CustomerBlock(intent.Customer, pin.Block);
        DeletePin(batch, intent, pin.Block);
        if (FindBlock(intent.Customer, pin.Block) is not null)
        {
            batch.Put(MetadataKeys.Idle(Now, id), []);
            return;
        }

        // Whether anything was written under this name only the nodes know: it is removed wherever it may be.
        if (holders.Count > 0) PutBlock(batch, null, Surplus(id, pin.LengthBytes, holders));
    }

    static void PutPin(WriteBatch batch, IntentToken intent, Pin pin)
    {
        batch.Put(MetadataKeys.Pin(intent.Customer, pin.Block, intent.Id), []);
        batch.Put(MetadataKeys.IntentPin(intent.Customer, intent.Id, pin.Block), pin.Write());
    }

    static void DeletePin(WriteBatch batch, IntentToken intent, BlockName block)
    {
        batch.Delete(MetadataKeys.Pin(intent.Customer, block, intent.Id));
        batch.Delete(MetadataKeys.IntentPin(intent.Customer, intent.Id, block));
    }

    /// <summary>Copies that no file will refer to, as a block that is being deleted.</summary>
    BlockRow Surplus(CustomerBlock block, int lengthBytes, IEnumerable<NodeId> holders) => new(
        new()
        {
            Customer = block.Customer,
            Name = block.Name,
            LengthBytes = lengthBytes,
            State = BlockState.Deleting,
            WantedCopies = 0,
            Nodes = InOrder(holders),
            Version = 1,
            LastUsedAt = Now,
        },
        Now);

    async Task WriteAsync(UploadIntent intent)
    {
        var batch = new WriteBatch();
        Put(batch, intent);
        await WriteAsync(batch);
    }

    // Leases go by the store's clock, and people by that on the wall.
    UploadIntent Shown(UploadIntent intent) => intent with { LeaseEndsAt = clock.ToWall(intent.LeaseEndsAt) };

    static void Put(WriteBatch batch, UploadIntent intent) =>
        batch.Put(MetadataKeys.Intent(intent.Token.Customer, intent.Token.Id), Files.Rows.Write(intent));

    long? FindSize(CustomerId customer, FilePath path) =>
        !path.IsRoot && Find(customer, path) is { Kind: NamespaceEntryKind.File } file ? file.SizeBytes : null;

    UploadIntent? FindIntent(CustomerId customer, ulong id)
    {
        var key = MetadataKeys.Intent(customer, id);
        return store.Get(key) is { } row ? Files.Rows.ReadIntent(key, row) : null;
    }

    /// <summary>The fence and the lease, by the clock of the store: a paused upload cannot go on after its pins were taken back.</summary>
    UploadIntent RequireHeld(IntentToken intent)
    {
        if (FindIntent(intent.Customer, intent.Id) is not { } present) throw new IntentLostException(intent, "it has ended");
        if (present.Token.Fence != intent.Fence) throw new IntentLostException(intent, "somebody else has opened it");
        if (present.IsReleased) throw new IntentLostException(intent, "it was released");
        if (present.LeaseEndsAt <= Now) throw new IntentLostException(intent, $"its lease ended at {clock.ToWall(present.LeaseEndsAt):O}");
        return present;
    }

    Pin? FindPin(IntentToken intent, ContentHash hash)
    {
        using var rows = store.Scan(KeyRange.Prefix(MetadataKeys.IntentPins(intent.Customer, intent.Id, hash)));
        return rows.MoveNext() ? Pin.Read(rows.Key, rows.Value) : null;
    }

    List<Pin> ReadPins(CustomerId customer, ulong intent, int limit) => ReadPage<Pin>(
        KeyRange.Prefix(MetadataKeys.IntentPins(customer, intent)),
        null,
        limit,
        static (row, out item) =>
        {
            item = Pin.Read(row.Key, row.Value);
            return true;
        },
        CancellationToken.None);
}
