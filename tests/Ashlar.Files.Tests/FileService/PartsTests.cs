using System.Security.Cryptography;

namespace Ashlar.Files.Tests;

/// <summary>Uploads in parts, checks of content, copies, and answers that are lost, over blocks that are durable first.</summary>
public sealed class PartsTests
{
    static readonly FilePath File = FilePath.Parse("/f");

    [Fact]
    public async Task Parts_that_come_in_any_order_and_more_than_once_make_one_file()
    {
        await using var rig = await FileRig.CreateAsync();
        var options = new BeginPartsOptions { Properties = FileProperties.Of([new("a", "1")]) };
        var intent = await rig.Files.BeginPartsAsync(rig.Customer, File, options);
        byte[][] contents = [FileRig.Content(20_000), FileRig.Content(3), FileRig.Content(20_000), [], FileRig.Content(9000, 2)];
        await rig.Files.PutPartAsync(intent.Token, 5, new MemoryStream(FileRig.Content(5000, 9)));
        await Task.WhenAll(contents.Select((content, index) => Task.Run(
            () => rig.Files.PutPartAsync(intent.Token, index + 1, new MemoryStream(content)))));
        Assert.Null(await rig.Store.StatAsync(rig.Customer, File));
        StoreInvariants.Check(rig.Store, rig.Nodes);
        var parts = await rig.Files.ListPartsAsync(rig.Customer, intent.Token.Id);
        Assert.Equal(contents.Select(content => (long)content.Length), parts.Select(part => part.SizeBytes));
        Assert.Equal(ContentHash.Of(contents[1]).ToString(), parts[1].Tag);
        var chosen = parts.Select(part => (part.Number, part.Tag)).ToArray();
        var complete = new CompletePartsOptions { Tag = "tag-5", Properties = FileProperties.Of([new("b", "2")]) };
        var entry = await rig.Files.CompletePartsAsync(intent.Token, chosen, complete);
        Assert.Equal(entry, await rig.Files.CompletePartsAsync(intent.Token, chosen, complete));
        Assert.Equal(contents.SelectMany(content => content), await rig.GetAsync("/f"));
        var described = (await rig.Files.DescribeAsync(rig.Customer, File))!;
        Assert.Equal(("tag-5", "a=1, b=2"), (described.Entry.Tag, described.Properties.ToString()));
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task Only_parts_that_are_there_make_a_file_each_in_its_place()
    {
        await using var rig = await FileRig.CreateAsync();
        var intent = await rig.Files.BeginPartsAsync(rig.Customer, File);
        var first = await PutAsync(1);
        var third = await PutAsync(3);
        await RefusedAsync(2, (1, first.Tag), (2, first.Tag));
        await RefusedAsync(1, (1, "other"));
        await RefusedAsync(1, (3, third.Tag), (1, first.Tag));
        await RefusedAsync(3, (3, third.Tag), (3, third.Tag));
        await Assert.ThrowsAsync<ArgumentException>(() => rig.Files.CompletePartsAsync(intent.Token, []));
        await Assert.ThrowsAsync<ArgumentException>(() => PutAsync(0));
        var short1 = await Assert.ThrowsAsync<ContentLengthException>(() => rig.Files.PutPartAsync(
            intent.Token, 4, new MemoryStream(FileRig.Content(10)), new() { ExpectedBytes = 11 }));
        Assert.Equal((11, 10), (short1.ExpectedBytes, short1.ReceivedBytes));
        await rig.Files.CompletePartsAsync(intent.Token, [(3, third.Tag)]);
        Assert.Equal(FileRig.Content(5000, 3), await rig.GetAsync("/f"));
        await Assert.ThrowsAsync<IntentLostException>(() => PutAsync(1));
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);

        Task<UploadPart> PutAsync(int number) =>
            rig.Files.PutPartAsync(intent.Token, number, new MemoryStream(FileRig.Content(5000, (ulong)number)));

        async Task RefusedAsync(int number, params (int, string)[] parts) => Assert.Equal(
            number, (await Assert.ThrowsAsync<InvalidPartException>(() => rig.Files.CompletePartsAsync(intent.Token, parts))).Number);
    }

    [Fact]
    public async Task Parts_that_were_put_before_there_were_more_nodes_are_completed_and_listed_for_repair()
    {
        await using var rig = await FileRig.CreateAsync();
        var single = new DiskNodes(rig.Disk, count: 1) { RequiredCopies = 1, WantedCopies = 1, InstalledCopies = 1 };
        var early = new FileService(rig.Store, single, rig.Options);
        var intent = await early.BeginPartsAsync(rig.Customer, File);
        var content = FileRig.Content(20_000);
        var part = await early.PutPartAsync(intent.Token, 1, new MemoryStream(content));
        await rig.Files.CompletePartsAsync(intent.Token, [(1, part.Tag)]);
        Assert.Equal(content, await rig.GetAsync("/f"));
        Assert.Equal([3, 3, 3], (await rig.Store.ListUnderReplicatedAsync(null, 10)).Select(block => block.WantedCopies));
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(1_200_000)]
    public async Task A_part_that_is_replaced_while_the_upload_is_completed_is_in_the_file_or_the_upload_is_not_complete(int length)
    {
        await using var rig = await FileRig.CreateAsync();
        var intent = await rig.Files.BeginPartsAsync(rig.Customer, File);
        var (first, second) = (FileRig.Content(length), FileRig.Content(length, 2));
        var part = await rig.Files.PutPartAsync(intent.Token, 1, new MemoryStream(first));
        UploadPart? replaced = null;
        var store = Intercepted<IMetadataStore>.Create(rig.Store, async method =>
        {
            if (method == nameof(IUploads.CommitAsync))
                replaced ??= await rig.Files.PutPartAsync(intent.Token, 1, new MemoryStream(second));
        });
        var files = new FileService(store, rig.Nodes, rig.Options);
        var refused = await Assert.ThrowsAsync<InvalidPartException>(() => files.CompletePartsAsync(intent.Token, [(1, part.Tag)]));
        Assert.Equal(1, refused.Number);
        await files.CompletePartsAsync(intent.Token, [(1, replaced!.Tag)]);
        Assert.Equal(second, await rig.GetAsync("/f"));
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task A_part_that_begins_late_in_the_lease_and_takes_long_keeps_the_upload()
    {
        await using var rig = await FileRig.CreateAsync();
        var intent = await rig.Files.BeginPartsAsync(rig.Customer, File);
        await rig.Files.PutPartAsync(intent.Token, 1, new MemoryStream(FileRig.Content(5000)));
        rig.Clock.Advance(0.95 * FileRig.Lease);
        var slow = new SlowStream(FileRig.Content(5000, 2), () => rig.Clock.Advance(0.1 * FileRig.Lease));
        var part = await rig.Files.PutPartAsync(intent.Token, 2, slow);
        await rig.Files.CompletePartsAsync(intent.Token, [(2, part.Tag)]);
        Assert.Equal(FileRig.Content(5000, 2), await rig.GetAsync("/f"));
    }

    [Fact]
    public async Task Parts_that_nobody_completes_go()
    {
        await using var rig = await FileRig.CreateAsync();
        for (var round = 0; round < 2; round++)
        {
            var intent = await rig.Files.BeginPartsAsync(rig.Customer, File);
            await rig.Files.PutPartAsync(intent.Token, 1, new MemoryStream(FileRig.Content(20_000)));
            rig.Clock.Advance(rig.Options.PartsLease - TimeSpan.FromMinutes(1));
            Assert.Equal(new CollectionReport(0, 0, 0, 0, 0, 0), await rig.Collector.RunAsync());
            if (round == 0) await rig.Files.AbortPartsAsync(intent.Token);
            else rig.Clock.Advance(TimeSpan.FromMinutes(2));
            await rig.DrainAsync();
            StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
            await rig.Files.AbortPartsAsync(intent.Token);
            await Assert.ThrowsAsync<IntentLostException>(() => rig.Files.CompletePartsAsync(intent.Token, [(1, "x")]));
        }
    }

    [Fact]
    public async Task An_empty_part_makes_an_empty_file()
    {
        await using var rig = await FileRig.CreateAsync();
        var intent = await rig.Files.BeginPartsAsync(rig.Customer, File);
        var part = await rig.Files.PutPartAsync(intent.Token, 1, new MemoryStream());
        await rig.Files.CompletePartsAsync(intent.Token, [(1, part.Tag)]);
        Assert.Empty(await rig.GetAsync("/f"));
        Assert.Empty(await rig.Store.ListIntentsAsync(null, null, false, 10));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(5000)]
    [InlineData(30_000)]
    public async Task A_check_sees_every_byte_once_and_says_what_is_kept_or_that_nothing_is(int length)
    {
        await using var rig = await FileRig.CreateAsync();
        var content = FileRig.Content(length);
        var check = new ContentCheck(content);
        var entry = await rig.PutAsync("/f", content, new() { Check = check, Properties = FileProperties.Of([new("a", "1")]) });
        Assert.Equal(Convert.ToHexStringLower(SHA384.HashData(content)), entry.Tag);
        var properties = (await rig.Files.ReadFileAsync(rig.Customer, File)).Properties;
        Assert.Equal(("1", "2"), (properties["a"], properties["seen"]));
        if (length <= 8192) Assert.Equal(ContentHash.Of(content).ToString(), properties[FileProperties.Sha256]);

        var wrong = new ContentCheck([.. content, 1]);
        await Assert.ThrowsAsync<InvalidDataException>(() => rig.PutAsync("/g", content, new() { Check = wrong }));
        Assert.Null(await rig.Store.StatAsync(rig.Customer, FilePath.Parse("/g")));
        var intent = await rig.Files.BeginPartsAsync(rig.Customer, FilePath.Parse("/h"));
        await Assert.ThrowsAsync<InvalidDataException>(() => rig.Files.PutPartAsync(
            intent.Token, 1, new MemoryStream(content), new() { Check = new ContentCheck([.. content, 1]) }));
        Assert.Empty(await rig.Files.ListPartsAsync(rig.Customer, intent.Token.Id));
        var part = await rig.Files.PutPartAsync(intent.Token, 1, new MemoryStream(content), new() { Check = new ContentCheck(content) });
        Assert.Equal((entry.Tag, "2"), (part.Tag, part.Properties["seen"]));
        await rig.Files.AbortPartsAsync(intent.Token);
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Theory]
    [InlineData(100, false)]
    [InlineData(100, true)]
    [InlineData(20_000, false)]
    [InlineData(20_000, true)]
    public async Task An_answer_that_is_lost_is_no_failure_and_asking_again_with_the_number_gives_it(int length, bool isDone)
    {
        await using var rig = await FileRig.CreateAsync();
        var store = Intercepted<IMetadataStore>.Create(rig.Store, planted:
        [
            (nameof(IUploads.CommitAsync), LoseAsync), (nameof(IUploads.CommitInlineAsync), LoseInlineAsync),
        ]);
        var create = new CreateFileOptions { UploadId = 4711 };
        var content = FileRig.Content(length);
        var files = new FileService(store, rig.Nodes, rig.Options);
        await Assert.ThrowsAsync<UnknownOutcomeException>(
            () => files.CreateFileAsync(rig.Customer, File, new MemoryStream(content), create));
        Assert.Equal(isDone, await rig.Store.StatAsync(rig.Customer, File) is not null);
        await rig.PutAsync("/f", content, create);
        Assert.Equal(content, await rig.GetAsync("/f"));
        Assert.Equal(new(length, 1, 0), await rig.Store.GetUsageAsync(rig.Customer));
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);

        async Task<NamespaceEntry> LoseAsync(IntentToken intent, FileCommit file, CancellationToken cancellationToken)
        {
            if (isDone) await rig.Store.CommitAsync(intent, file, cancellationToken);
            throw new UnknownOutcomeException(new IOException("gone"));
        }

        async Task<NamespaceEntry> LoseInlineAsync(CustomerId customer, ulong id, FileCommit file, CancellationToken cancellationToken)
        {
            if (isDone) await rig.Store.CommitInlineAsync(customer, id, file, cancellationToken);
            throw new UnknownOutcomeException(new IOException("gone"));
        }
    }

    [Fact]
    public async Task A_number_whose_upload_has_failed_is_used_again_also_by_two_customers_with_one_content()
    {
        await using var rig = await FileRig.CreateAsync();
        var second = (await rig.Store.CreateCustomerAsync("second", Quota.None)).Id;
        var (content, create) = (FileRig.Content(20_000), new CreateFileOptions { UploadId = 4711 });
        rig.Nodes.Away.UnionWith([new(1), new(2)]);
        await Assert.ThrowsAsync<TooFewCopiesException>(() => rig.PutAsync("/f", content, create));
        rig.Nodes.Away.Clear();
        await rig.PutAsync("/f", content, create);
        await rig.Files.CreateFileAsync(second, File, new MemoryStream(content), create);
        await rig.Files.DeleteFileAsync(rig.Customer, File);
        await rig.DrainAsync();
        var kept = new MemoryStream();
        await (await rig.Files.ReadFileAsync(second, File)).CopyToAsync(kept);
        Assert.Equal(content, kept.ToArray());
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task A_copy_writes_no_block_and_is_made_once_with_a_number()
    {
        await using var rig = await FileRig.CreateAsync();
        var content = FileRig.Content(20_000);
        await rig.PutAsync("/f", content);
        var written = rig.Nodes.InstalledBytes;
        var copy = new CopyFileOptions { UploadId = 4711 };
        var entry = await rig.Files.CopyFileAsync(rig.Customer, File, FilePath.Parse("/g"), copy);
        Assert.Equal(entry, await rig.Files.CopyFileAsync(rig.Customer, File, FilePath.Parse("/g"), copy));
        await rig.Files.CopyFileAsync(rig.Customer, File, FilePath.Parse("/h"));
        Assert.Equal(written, rig.Nodes.InstalledBytes);
        foreach (var path in (string[])["/f", "/g"]) await rig.Files.DeleteFileAsync(rig.Customer, FilePath.Parse(path));
        await rig.DrainAsync();
        Assert.Equal(content, await rig.GetAsync("/h"));
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task The_trash_of_nodes_is_emptied_by_a_pass()
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.PutAsync("/f", FileRig.Content(20_000));
        await rig.Files.DeleteFileAsync(rig.Customer, File);
        Assert.Equal((3, 0), await PassAsync(null));
        rig.Nodes.Away.Add(new(1));
        rig.Nodes.PurgesTrash = true;
        Assert.Equal((0, 3), await PassAsync(null));
        rig.Nodes.Away.Clear();
        Assert.Equal((0, 3), await PassAsync(1));

        async Task<(int Deleted, int Purged)> PassAsync(int? pageRows)
        {
            var options = FileRig.NoPeriods with { PageRows = pageRows ?? 256 };
            var report = await new Collector(rig.Store, rig.Nodes, options).RunAsync();
            return (report.Deleted, report.Purged);
        }
    }

    [Fact]
    public void Properties_are_bounded_and_have_an_order()
    {
        var properties = FileProperties.Of([new("b", "2"), new("B", "1"), new("a", "")]);
        Assert.Equal(["B", "a", "b"], properties.Keys);
        Assert.Equal(properties, FileProperties.Of(properties.Reverse()));
        Assert.NotEqual(properties, properties.With([new("a", null)]));
        Assert.Same(FileProperties.Empty, FileProperties.Of([]));
        Assert.Equal(FileProperties.MaxBytes - 1, FileProperties.Of([new("a", new string('x', FileProperties.MaxBytes - 1))])["a"].Length);
        KeyValuePair<string, string>[][] wrong =
        [
            [new("", "x")], [new(new string('x', 256), "")], [new(new string('\u00e9', 128), "")], [new("a", "1"), new("a", "1")],
            [new("a", new string('x', FileProperties.MaxBytes))], [new("a", "\ud800")], [new("\ud800", "")],
            [.. Enumerable.Range(0, 200).Select(number => new KeyValuePair<string, string>($"{number}", new string('x', 80)))],
        ];
        foreach (var pairs in wrong)
            Assert.NotEmpty(Assert.Throws<InvalidPropertiesException>(() => FileProperties.Of(pairs)).Problem);
    }

    [Fact]
    public async Task What_is_known_of_the_content_is_nothing_that_a_caller_says()
    {
        await using var rig = await FileRig.CreateAsync();
        var (content, to) = (FileRig.Content(5000), FilePath.Parse("/g"));
        var said = FileProperties.Of([new(FileProperties.Sha256, "said")]);
        await Assert.ThrowsAsync<InvalidPropertiesException>(() => rig.PutAsync("/f", content, new() { Properties = said }));
        await Assert.ThrowsAsync<InvalidPropertiesException>(() => rig.PutAsync("/f", [1], new() { Properties = said }));
        await Assert.ThrowsAsync<InvalidPropertiesException>(
            () => rig.Files.BeginPartsAsync(rig.Customer, File, new() { Properties = said }));
        await rig.PutAsync("/f", content, new() { Check = new ContentCheck(content) });
        await Assert.ThrowsAsync<InvalidPropertiesException>(
            () => rig.Files.CopyFileAsync(rig.Customer, File, to, new() { Properties = said }));
        await rig.Files.CopyFileAsync(rig.Customer, File, to, new() { Properties = FileProperties.Of([new("a", "1")]) });
        var changed = new Dictionary<string, string?> { ["b"] = "2" };
        await rig.Files.SetPropertiesAsync(rig.Customer, File, new(true, changed, false));
        foreach (var value in (string?[])["said", null])
        {
            var wrong = new Dictionary<string, string?> { [FileProperties.Sha256] = value };
            if (value is null) await rig.Files.SetPropertiesAsync(rig.Customer, File, new(false, wrong, false));
            else await Assert.ThrowsAsync<InvalidPropertiesException>(
                () => rig.Files.SetPropertiesAsync(rig.Customer, File, new(false, wrong, false)));
        }

        var hash = ContentHash.Of(content).ToString();
        Assert.Equal($"a=1, sha256={hash}", (await rig.Files.DescribeAsync(rig.Customer, to))!.Properties.ToString());
        Assert.Equal($"b=2, sha256={hash}", (await rig.Files.DescribeAsync(rig.Customer, File))!.Properties.ToString());
    }

    sealed class SlowStream(byte[] content, Action afterFirst) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position > 0 && Position < Length) afterFirst();
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, 4500)], cancellationToken);
        }
    }

    sealed class ContentCheck(byte[] expected) : IContentCheck
    {
        readonly MemoryStream seen = new();

        public void Append(ReadOnlySpan<byte> content) => seen.Write(content);

        public ContentVerdict Finish()
        {
            if (!seen.ToArray().AsSpan().SequenceEqual(expected)) throw new InvalidDataException("another content");
            return new(Convert.ToHexStringLower(SHA384.HashData(expected)), FileProperties.Of([new("seen", "2")]));
        }
    }
}
