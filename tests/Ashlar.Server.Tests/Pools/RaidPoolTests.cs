using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Server.Tests.Pools;

/// <summary>Pools on RAID sets, whose devices come and go.</summary>
public sealed class RaidPoolTests
{
    const long Mebibyte = PoolsUnderTest.Mebibyte;

    static readonly byte[] Content = new SeededRandom(5).Bytes(3 << 20);
    static readonly byte[] Other = new SeededRandom(6).Bytes(3 << 20);

    readonly SimulatedFileSystem disk = new(isRecording: false);

    [Theory]
    [InlineData(0, 3, 24)]
    [InlineData(1, 2, 8)]
    [InlineData(5, 3, 16)]
    [InlineData(6, 4, 16)]
    [InlineData(10, 4, 16)]
    public async Task A_pool_of_each_level_holds_what_was_asked_for_and_is_there_after_a_restart(int level, int devices, int holds)
    {
        string[] paths = [.. Enumerable.Range(0, devices).Select(i => $"/{(char)('a' + i)}")];
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Request(level, paths, []), "me");
            Assert.InRange(server.Show("safe").CapacityBytes, holds * Mebibyte, (holds + 2) * Mebibyte);
            await server.WriteAsync("safe", "vm1", Content);
            Assert.Equal(["main"], disk.List("/data/pools"));
        }
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            var pool = server.Show("safe");
            Assert.Equal((level, "healthy", "ok"), (pool.Raid!.Level, pool.Raid.State, pool.Health));
            Assert.Equal(paths.Select((path, i) => $"{path} in-sync {i}"), server.States("safe"));
            Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
            var found = await server.ScrubAsync("safe");
            Assert.Empty(found.Findings!);
            Assert.Equal(level > 0 ? new ScrubbedStripes(0, 0, 0, 0) : null, found.Stripes);
            await server.Pools.DeleteAsync("safe", force: true, "me");
        }
        Assert.Equal(["data"], disk.List("/"));
    }

    [Fact]
    public async Task What_is_not_possible_is_refused_and_leaves_nothing()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await RefuseAsync(Request(7, ["/a", "/b"], []), "there is no RAID-7");
        await RefuseAsync(Request(5, ["/a", "/b"], []), "RAID-5 takes 3 to 64 devices");
        await RefuseAsync(Request(10, ["/a", "/b", "/c"], []), "an even number");
        await RefuseAsync(Request(0, ["/a", "/b"], ["/c"]), "RAID-0 has no redundancy");
        await RefuseAsync(Request(1, ["/a", "/b"], ["/a"]), "named twice");
        await RefuseAsync(Request(1, ["/a", "/b"], []) with { Raid = new() { Level = 1, ChunkBytes = 5000 } }, "chunks of 5000");
        using (var file = disk.Open("/small", FileOpenMode.CreateNew)) file.SetLength(Mebibyte);
        await RefuseAsync(Request(1, ["/a", "/small"], []), "too few");
        Assert.Equal(["data", "small"], disk.List("/").Where(name => !name.EndsWith(".lock", StringComparison.Ordinal)));

        async Task RefuseAsync(CreatePool request, string problem)
        {
            var refused = await Assert.ThrowsAsync<ApiException>(() => server.Pools.CreateAsync(request, "me"));
            Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
            Assert.Null(server.Pools.FindEntry("safe"));
        }
    }

    [Fact]
    public async Task A_pool_has_the_room_of_the_larger_devices_that_its_members_were_replaced_by()
    {
        string[] larger = ["/x", "/y", "/z"];
        foreach (var path in larger)
        {
            using var file = disk.Open(path, FileOpenMode.CreateNew);
            file.SetLength(200 * Mebibyte);
        }
        long before;
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Request(5, ["/a", "/b", "/c"], []), "me");
            await server.WriteAsync("safe", "vm1", Content);
            before = server.Show("safe").CapacityBytes;
            for (var i = 0; i < larger.Length; i++)
            {
                Assert.Null(server.Show("safe").Raid!.UnusedBytes);
                await server.Pools.ReplaceDeviceAsync("safe", new() { Path = $"/{(char)('a' + i)}", Replacement = larger[i] }, "me");
                await server.UntilAsync(() => server.States("safe").Contains($"{larger[i]} in-sync {i}"), $"{larger[i]} in sync");
                await server.UntilAsync(() => server.States("safe").Count == 3, "the old one let go of");
            }
            Assert.InRange(server.Show("safe").Raid!.UnusedBytes!.Value, 200 * Mebibyte, 400 * Mebibyte);
            var both = await Assert.ThrowsAsync<ApiException>(
                () => server.Pools.ChangeAsync("safe", new() { CapacityBytes = 1 << 30, UseAllSpace = true }, "me"));
            Assert.Equal(ProblemKind.InvalidRequest, both.Kind);
            await server.Pools.ChangeAsync("safe", new() { UseAllSpace = true }, "me");
            Assert.Null(server.Show("safe").Raid!.UnusedBytes);
            Assert.InRange(server.Show("safe").CapacityBytes, before + (200 * Mebibyte), before + (400 * Mebibyte));
            await server.WriteAsync("safe", "vm2", Other);
        }
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            Assert.InRange(server.Show("safe").CapacityBytes, before + (200 * Mebibyte), before + (400 * Mebibyte));
            Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
            Assert.Equal(Other, await server.ReadAsync("safe", "vm2", Other.Length));
            Assert.Empty((await server.ScrubAsync("safe")).Findings!);
        }
    }

    [Fact]
    public async Task A_pool_of_files_grows_with_them_unless_a_member_is_missing()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
        await server.WriteAsync("safe", "vm1", Content);
        var asked = server.Show("safe").CapacityBytes + (50 * Mebibyte);
        await server.Pools.ChangeAsync("safe", new() { CapacityBytes = asked }, "me");
        Assert.InRange(server.Show("safe").CapacityBytes, asked, asked + Mebibyte);
        disk.Delete("/b");
        await server.UntilAsync(() => server.Show("safe").Raid!.State == "degraded", "degraded");
        var refused = await Assert.ThrowsAsync<ApiException>(
            () => server.Pools.ChangeAsync("safe", new() { CapacityBytes = 2 * asked }, "me"));
        Assert.Equal(ProblemKind.InUse, refused.Kind);
        Assert.Contains("member 1 is missing", refused.Message, StringComparison.Ordinal);
        Assert.InRange(server.Show("safe").CapacityBytes, asked, asked + Mebibyte);
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
    }

    [Fact]
    public async Task When_files_vanish_spares_step_in_by_themselves()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Request(6, ["/a", "/b", "/c", "/d"], ["/e", "/f"]), "me");
            await server.WriteAsync("safe", "vm1", Content);
            disk.Delete("/b");
            disk.Delete("/d");
            await server.UntilAsync(
                () => string.Join(", ", server.States("safe").Take(4)) is "/a in-sync 0, /e in-sync 1, /c in-sync 2, /f in-sync 3"
                    or "/a in-sync 0, /f in-sync 1, /c in-sync 2, /e in-sync 3",
                "both spares in sync");
            Assert.Equal("healthy", server.Show("safe").Raid!.State);
            Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
            Assert.Empty((await server.ScrubAsync("safe")).Findings!);
            Assert.Contains(server.Log, line => line.Contains("/b is gone", StringComparison.Ordinal));

            // They are told of until they are taken out.
            Assert.Equal(["/b unused", "/d unused"], server.States("safe").Skip(4));
            Assert.Contains(server.Show("safe").Warnings, line => line.Contains("does not use /b: /b is gone", StringComparison.Ordinal));
            var gone = server.Pools.GetEntry("safe").Devices.Opened.Single(each => each.Path == "/b").Opened.Device;
            await gone.ReadAsync(Lba.Zero, new byte[4096]);
            await server.Pools.RemoveDeviceAsync("safe", "/b", null, "me");
            await server.Pools.RemoveDeviceAsync("safe", "/d", null, "me");
            Assert.Equal(4, server.States("safe").Count);
            Assert.Equal("ok", server.Show("safe").Health);
            Assert.Empty(server.Show("safe").Warnings);
            await Assert.ThrowsAnyAsync<Exception>(async () => await gone.ReadAsync(Lba.Zero, new byte[4096])); // Its space is free.
        }
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            Assert.Equal(("healthy", 4), (server.Show("safe").Raid!.State, server.Show("safe").Devices.Count));
            Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
        }
    }

    [Fact]
    public async Task A_half_that_was_left_behind_is_started_by_nobody_but_who_accepts_the_loss()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
            await server.WriteAsync("safe", "vm1", Content);
            disk.Rename("/a", "/away");
            await server.UntilAsync(() => server.Show("safe").Raid!.State == "degraded", "that it does without /a");
            var entry = server.Pools.GetEntry("safe");
            await server.UntilAsync(() => entry.Record.RaidGeneration == entry.Devices.Raid!.Generation, "that it is remembered");
            await server.WriteAsync("safe", "vm1", Other);
        }
        disk.Rename("/b", "/late");
        disk.Rename("/away", "/a");
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            Assert.Contains("others went on without them", server.Pools.GetEntry("safe").Problem, StringComparison.Ordinal);
            var refused = await Assert.ThrowsAsync<ApiException>(() => server.Pools.ImportAsync(new() { Devices = ["/a"] }, "me"));
            Assert.Contains("others went on without them", refused.Message, StringComparison.Ordinal);
            Assert.Contains("accept the loss", refused.Hint, StringComparison.Ordinal);
            await server.Pools.ImportAsync(new() { Devices = ["/a"], AcceptLoss = true }, "me");
            Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
        }
    }

    [Fact]
    public async Task A_spare_that_is_not_there_is_warned_of()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
            await server.Pools.CreateAsync(Request(1, ["/a", "/b"], ["/s"]), "me");
        disk.Delete("/s");
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            Assert.Equal(("healthy", "degraded"), (server.Show("safe").Raid!.State, server.Show("safe").Health));
            Assert.Contains("does not use /s", Assert.Single(server.Show("safe").Warnings), StringComparison.Ordinal);
            await server.Pools.RemoveDeviceAsync("safe", "/s", null, "me");
            Assert.Empty(server.Show("safe").Warnings);
        }
    }

    [Fact]
    public async Task A_pool_is_opened_without_a_device_and_says_so_and_another_one_takes_the_place()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Request(5, ["/a", "/b", "/c"], []), "me");
            await server.WriteAsync("safe", "vm1", Content);
        }
        disk.Rename("/b", "/elsewhere");
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            var pool = server.Show("safe");
            Assert.Equal(("available", "degraded", "degraded"), (pool.State, pool.Raid!.State, pool.Health));
            Assert.Contains("goes on without /b; put another device in its place", Assert.Single(pool.Warnings), StringComparison.Ordinal);
            Assert.Equal(["/a in-sync 0", "/b missing 1", "/c in-sync 2"], server.States("safe"));
            Assert.NotNull(pool.Devices[1].Error);
            await server.UntilAsync(() => server.Log.Any(line => line.Contains("member 1", StringComparison.Ordinal)), "a line in the log");
            await server.WriteAsync("safe", "vm1", Other);
            var refused = await Assert.ThrowsAsync<ApiException>(() => server.Pools.RemoveDeviceAsync("safe", "/b", null, "me"));
            Assert.Contains("no other device has its place", refused.Message, StringComparison.Ordinal);

            await server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/b", Replacement = "/new" }, "me");
            await server.UntilAsync(() => server.Show("safe").Raid!.State == "healthy", "health");
            await server.UntilAsync(() => server.States("safe").Count == 3, "that the old one is forgotten");
            Assert.Equal(["/a in-sync 0", "/new in-sync 1", "/c in-sync 2"], server.States("safe"));
        }
        disk.Delete("/a");
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            Assert.Equal(Other, await server.ReadAsync("safe", "vm1", Content.Length));
            // The one that was away is of another time: it is not believed.
            var refused = await Assert.ThrowsAsync<ApiException>(
                () => server.Pools.AddDeviceAsync("safe", new() { Path = "/elsewhere", IsSpare = true }, "me"));
            Assert.Contains("a member of a RAID set of Ashlar", refused.Message, StringComparison.Ordinal);
            await server.Pools.AddDeviceAsync("safe", new() { Path = "/elsewhere", IsSpare = true, Force = true }, "me");
            await server.UntilAsync(() => server.Show("safe").Raid!.State == "healthy", "health");
        }
    }

    [Fact]
    public async Task A_device_that_comes_back_is_given_what_it_has_missed()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
            await server.WriteAsync("safe", "vm1", Content);
        }
        disk.Rename("/b", "/away");
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.WriteAsync("safe", "vm1", Other);
            disk.Rename("/away", "/b");
            await server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/b", Replacement = "/b" }, "me");
            await server.UntilAsync(() => server.Show("safe").Raid!.State == "healthy", "health");
            Assert.Equal(["/a in-sync 0", "/b in-sync 1"], server.States("safe"));
            await server.UntilAsync(
                () => server.Log.Any(line => line.Contains("is given what it has missed", StringComparison.Ordinal)), "the log to say so");
        }
        disk.Delete("/a");
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
            Assert.Equal(Other, await server.ReadAsync("safe", "vm1", Content.Length));
    }

    [Fact]
    public async Task A_device_that_is_refused_on_coming_back_keeps_what_is_on_it()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
            await server.WriteAsync("safe", "vm1", Content);
        }
        disk.Rename("/b", "/away");
        await using (var server = await PoolsUnderTest.OpenAsync(disk)) await server.WriteAsync("safe", "vm1", Content);
        disk.Rename("/a", "/away-a");
        disk.Rename("/away", "/b");
        await using (var server = await PoolsUnderTest.OpenAsync(disk)) await server.WriteAsync("safe", "vm1", Other);
        disk.Rename("/b", "/away");
        disk.Rename("/away-a", "/a");
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            disk.Rename("/away", "/b");
            var before = ReadAll("/b");
            var refused = await Assert.ThrowsAsync<ApiException>(
                () => server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/b", Replacement = "/b" }, "me"));
            Assert.Contains("it holds what they lack", refused.Message, StringComparison.Ordinal);
            Assert.True(disk.FileExists("/b"));
            Assert.Equal(before, ReadAll("/b"));
            Assert.Equal(["/a in-sync 0", "/b missing 1"], server.States("safe"));
        }

        byte[] ReadAll(string path)
        {
            using var file = disk.Open(path, FileOpenMode.ReadOnly);
            var all = new byte[file.LengthBytes];
            file.Read(all, 0);
            return all;
        }
    }

    [Fact]
    public async Task A_device_that_was_replaced_keeps_what_is_on_it_until_the_set_lacks_nothing()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(6, ["/a", "/b", "/c", "/d"], []), "me");
        await server.WriteAsync("safe", "vm1", Content);
        var raid = server.Pools.GetEntry("safe").Devices.Raid!;
        Assert.True(await raid.TryFailAsync(1, "it is slow"));
        Assert.True(await raid.TryFailAsync(3, "it is slow"));
        await server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/b", Replacement = "/new" }, "me");
        await server.UntilAsync(() => server.States("safe").Contains("/new in-sync 1"), "the end of the rebuild");
        var steps = 0;
        await server.UntilAsync(() => ++steps > 20, "several looks at the devices");
        Assert.True(disk.FileExists("/b"));
        await server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/d", Replacement = "/other" }, "me");
        await server.UntilAsync(() => !disk.FileExists("/b") && !disk.FileExists("/d"), "both to go");
        string[] whole = ["/a in-sync 0", "/new in-sync 1", "/c in-sync 2", "/other in-sync 3"];
        await server.UntilAsync(() => server.States("safe").SequenceEqual(whole), "the new ones");
    }

    [Fact]
    public async Task A_device_that_works_is_replaced_without_loss_of_redundancy_and_its_file_goes()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(5, ["/a", "/b", "/c"], []), "me");
        await server.WriteAsync("safe", "vm1", Content);
        await server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/b", Replacement = "/new" }, "me");
        Assert.Equal("healthy", server.Show("safe").Raid!.State);
        await server.UntilAsync(
            () => server.States("safe").SequenceEqual(["/a in-sync 0", "/new in-sync 1", "/c in-sync 2"]), "the new one");
        await server.UntilAsync(() => !disk.FileExists("/b"), "the old one to go");
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
        Assert.Empty((await server.ScrubAsync("safe")).Findings!);
        disk.Delete("/a");
        await server.UntilAsync(() => server.Show("safe").Raid!.State == "degraded", "the loss of another");
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replacement_that_was_under_way_goes_on_after_a_restart_and_elsewhere(bool isElsewhere)
    {
        var faulty = new FaultyFileSystem(disk);
        await using (var server = await PoolsUnderTest.OpenAsync(faulty))
        {
            await server.Pools.CreateAsync(Request(0, ["/a", "/b"], []), "me");
            await server.WriteAsync("safe", "vm1", Content);
            var unreadable = new FaultRule(FaultOperations.Read, FaultKind.InputOutputError) { PathPattern = "/b", IsSticky = true };
            faulty.Add(unreadable);
            await server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/b", Replacement = "/new" }, "me");
            var looks = 0;
            await server.UntilAsync(() => ++looks > 20, "several looks at the devices");
            Assert.Equal(["/a in-sync 0", "/b in-sync 1", "/new replacing"], server.States("safe"));
            if (isElsewhere) await server.Pools.ExportAsync("safe", force: false, "me");
        }
        var (data, host) = isElsewhere ? ("/other", 2) : ("/data", 1);
        await using (var server = await PoolsUnderTest.OpenAsync(disk, data, host, seed: 2))
        {
            if (isElsewhere) await server.Pools.ImportAsync(new() { Devices = ["/a", "/b", "/new"] }, "me");
            await server.UntilAsync(() => server.States("safe").SequenceEqual(["/a in-sync 0", "/new in-sync 1"]), "the new one");
            Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
            Assert.Equal(isElsewhere, disk.FileExists("/b")); // It was made by the other one.
        }
    }

    [Fact]
    public async Task A_replacement_that_comes_to_no_end_is_taken_out_again_and_the_old_device_stays()
    {
        var faulty = new FaultyFileSystem(disk);
        await using (var server = await PoolsUnderTest.OpenAsync(faulty))
        {
            await server.Pools.CreateAsync(Request(0, ["/a", "/b"], []), "me");
            faulty.Add(new(FaultOperations.Read, FaultKind.InputOutputError) { PathPattern = "/b", IsSticky = true });
            await server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/b", Replacement = "/new" }, "me");
            var removing = server.Pools.RemoveDeviceAsync("safe", "/new", null, "me");
            await server.UntilAsync(() => removing.IsCompleted, "the end of it");
            await removing;
            Assert.Equal(["/a in-sync 0", "/b in-sync 1"], server.States("safe"));
            Assert.False(disk.FileExists("/new"));
            var entry = server.Pools.GetEntry("safe");
            await server.UntilAsync(() => entry.Record.Devices.All(each => !each.IsLeaving), "that the old one stays");
        }
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
            Assert.Equal(["/a in-sync 0", "/b in-sync 1"], server.States("safe"));
    }

    [Fact]
    public async Task An_import_that_has_happened_is_not_taken_back_because_its_devices_could_not_be_noted()
    {
        await using (var here = await PoolsUnderTest.OpenAsync(disk))
        {
            await here.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
            await here.Pools.ExportAsync("safe", force: false, "me");
        }
        var faulty = new FaultyFileSystem(disk);
        await using var there = await PoolsUnderTest.OpenAsync(faulty, "/other", host: 2, seed: 2);
        faulty.Add(new(FaultOperations.Sync, FaultKind.NoSpace) { PathPattern = "/other/system/pool-*", Nth = 2 });
        await there.Pools.ImportAsync(new() { Devices = ["/a", "/b"] }, "me");
        Assert.Equal(["/a in-sync 0", "/b in-sync 1"], there.States("safe"));
        Assert.Contains(there.Log, line => line.Contains("could not be noted", StringComparison.Ordinal));
        var entry = there.Pools.GetEntry("safe");
        await there.UntilAsync(() => entry.Record.Devices.All(each => each.MemberId is not null), "that they are");
    }

    [Fact]
    public async Task Spares_come_and_go_and_devices_in_use_stay()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
        var larger = await Assert.ThrowsAsync<ApiException>(
            () => server.Pools.AddDeviceAsync("safe", new() { Path = "/c", SizeBytes = 64 * Mebibyte }, "me"));
        Assert.Equal(ProblemKind.NotSupported, larger.Kind);
        Assert.Contains("put larger devices in the places of its members", larger.Hint, StringComparison.Ordinal);

        await server.Pools.AddDeviceAsync("safe", new() { Path = "/c", IsSpare = true }, "me");
        Assert.Equal(["/a in-sync 0", "/b in-sync 1", "/c spare"], server.States("safe"));
        Assert.Equal(
            ProblemKind.InUse,
            (await Assert.ThrowsAsync<ApiException>(() => server.Pools.RemoveDeviceAsync("safe", "/a", null, "me"))).Kind);
        Assert.Equal(
            ProblemKind.UnusableDevice,
            (await Assert.ThrowsAsync<ApiException>(
                () => server.Pools.ReplaceDeviceAsync("safe", new() { Path = "/a", Replacement = "/c" }, "me"))).Kind);
        await server.Pools.RemoveDeviceAsync("safe", "/c", null, "me");
        Assert.Equal(["/a in-sync 0", "/b in-sync 1"], server.States("safe"));
        Assert.False(disk.FileExists("/c")); // It was made for the pool.
        await server.Pools.AddDeviceAsync("safe", new() { Path = "/c", IsSpare = true }, "me");
        disk.Delete("/c");
        await server.UntilAsync(() => server.States("safe")[^1] == "/c unused", "the loss of the spare");
    }

    [Fact]
    public async Task A_device_that_the_set_cannot_do_without_is_used_though_it_is_gone_and_that_is_said()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
        disk.Delete("/a");
        await server.UntilAsync(() => server.Show("safe").Raid!.State == "degraded", "the loss of one");
        disk.Delete("/b");
        await server.UntilAsync(() => server.Show("safe").Warnings.Count == 2, "a warning of the other");
        await server.WriteAsync("safe", "vm1", Content);
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
        await server.Pools.AddDeviceAsync("safe", new() { Path = "/c", IsSpare = true }, "me");
        await server.Pools.AddDeviceAsync("safe", new() { Path = "/d", IsSpare = true }, "me");
        await server.UntilAsync(
            () => server.States("safe").Take(2).Order().All(state => state.Contains("in-sync", StringComparison.Ordinal)
                && !state.StartsWith("/b", StringComparison.Ordinal)),
            "all of it on devices that are there");
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
    }

    [Fact]
    public async Task A_device_whose_name_is_gone_for_a_moment_stays_in_use()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
        var devices = server.Pools.GetEntry("safe").Devices;
        await using var watch = new DeviceWatch(devices, static _ => { }, static () => Task.CompletedTask, new SimulatedClock());
        await LookWhileAwayAsync("/b", looks: 1);
        await LookWhileAwayAsync("/b", looks: 1);
        Assert.Equal(["/a in-sync 0", "/b in-sync 1"], server.States("safe"));
        await LookWhileAwayAsync("/b", looks: 2);
        Assert.Equal("/a in-sync 0", server.States("safe")[0]);
        Assert.Equal("degraded", server.Show("safe").Raid!.State);

        // What is said of one that is needed is taken back.
        disk.Rename("/a", "/away");
        await watch.LookAsync();
        await watch.LookAsync();
        Assert.NotNull(devices.ProblemOf("/a"));
        disk.Rename("/away", "/a");
        await watch.LookAsync();
        Assert.Null(devices.ProblemOf("/a"));

        async Task LookWhileAwayAsync(string path, int looks)
        {
            disk.Rename(path, "/away");
            while (looks-- > 0) await watch.LookAsync();
            disk.Rename("/away", path);
            await watch.LookAsync();
        }
    }

    [Fact]
    public async Task A_power_cut_during_a_rebuild_and_with_a_device_missing_loses_nothing()
    {
        var first = new SimulatedFileSystem();
        var dead = await PoolsUnderTest.OpenAsync(first);
        await dead.Pools.CreateAsync(Request(6, ["/a", "/b", "/c", "/d"], []), "me");
        await dead.WriteAsync("safe", "vm1", Content);
        first.Delete("/a");
        await dead.UntilAsync(() => dead.Show("safe").Raid!.State == "degraded", "the loss of one");
        await dead.WriteAsync("safe", "vm2", Content);
        await dead.Pools.AddDeviceAsync("safe", new() { Path = "/e", IsSpare = true }, "me");
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var after = first.LosePower(seed);
            await using var server = await PoolsUnderTest.OpenAsync(after, seed: seed + 10);
            if (seed % 2 == 0) after.Delete("/b"); // And another one.
            Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
            Assert.Equal(Content, await server.ReadAsync("safe", "vm2", Content.Length));
            await server.UntilAsync(
                () => server.Show("safe").Raid!.State == (seed % 2 == 0 ? "degraded" : "healthy"), "the end of the rebuild");
            Assert.True((await server.ScrubAsync("safe")).Findings!.Count == 0);
            await Task.Delay((int)seed * 3);
        }
        await dead.DisposeAsync();
    }

    [Fact]
    public async Task Devices_that_an_import_does_not_name_are_remembered_and_left_alone()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(1, ["/a", "/b"], ["/s"]), "me");
        await server.WriteAsync("safe", "vm1", Content);
        await server.Pools.ExportAsync("safe", force: false, "me");
        await server.Pools.ImportAsync(new() { Devices = ["/a"] }, "me");
        Assert.Equal(["/a in-sync 0", "/b missing 1", "/s unused"], server.States("safe"));
        Assert.Contains(
            server.Show("safe").Warnings, line => line.Contains("does not use /s: it was not named when", StringComparison.Ordinal));
        await server.WriteAsync("safe", "vm1", Other);
        await server.Pools.ExportAsync("safe", force: false, "me");

        // The other one goes on by itself, and the first one is left alone by whoever has that.
        await server.Pools.ImportAsync(new() { Devices = ["/b"], AcceptLoss = true }, "me");
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
        await server.Pools.DeleteAsync("safe", force: true, "me");
        Assert.Equal(["a", "s"], disk.List("/").Where(name => name is "a" or "b" or "s"));
        await server.Pools.ImportAsync(new() { Devices = ["/a"] }, "me");
        Assert.Equal(Other, await server.ReadAsync("safe", "vm1", Content.Length));
    }

    [Fact]
    public async Task What_was_left_out_of_an_import_is_taken_again_after_a_restart()
    {
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            await server.Pools.CreateAsync(Request(1, ["/a", "/b"], ["/s"]), "me");
            await server.Pools.ExportAsync("safe", force: false, "me");
            await server.Pools.ImportAsync(new() { Devices = ["/a"] }, "me");
        }
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
        {
            Assert.Equal(["/a in-sync 0", "/b missing 1", "/s unused"], server.States("safe"));
            await server.Pools.ReplaceDeviceAsync("safe", new() { Path = "1", Replacement = "/b" }, "me");
            await server.Pools.AddDeviceAsync("safe", new() { Path = "/s", IsSpare = true }, "me");
            await server.UntilAsync(
                () => server.States("safe").SequenceEqual(["/a in-sync 0", "/b in-sync 1", "/s spare"]), "all of them");
        }
        await using (var server = await PoolsUnderTest.OpenAsync(disk))
            Assert.Equal(["/a in-sync 0", "/b in-sync 1", "/s spare"], server.States("safe"));
    }

    [Fact]
    public async Task A_member_of_which_nobody_knows_where_it_was_is_named_by_its_place()
    {
        await using (var here = await PoolsUnderTest.OpenAsync(disk))
        {
            await here.Pools.CreateAsync(Request(5, ["/a", "/b", "/c"], []), "me");
            await here.WriteAsync("safe", "vm1", Content);
            await here.Pools.ExportAsync("safe", force: false, "me");
        }
        await using var there = await PoolsUnderTest.OpenAsync(disk, "/other", host: 2, seed: 2);
        await there.Pools.ImportAsync(new() { Devices = ["/a", "/c"] }, "me");
        Assert.Equal(["/a in-sync 0", " missing 1", "/c in-sync 2"], there.States("safe"));
        Assert.Contains("goes on without member 1; put another device in its place: 'ashlar pool replace safe 1 NEW'",
            Assert.Single(there.Show("safe").Warnings), StringComparison.Ordinal);
        await RefuseAsync(
            "no member 3: 0 to 2", () => there.Pools.ReplaceDeviceAsync("safe", new() { Path = "3", Replacement = "/n" }, "me"));
        await RefuseAsync("no other device has its place", () => there.Pools.RemoveDeviceAsync("safe", "1", null, "me"));
        await RefuseAsync("/a is in use, as member 0", () => there.Pools.RemoveDeviceAsync("safe", "0", null, "me"));
        await there.Pools.ReplaceDeviceAsync("safe", new() { Path = "1", Replacement = "/n" }, "me");
        await there.UntilAsync(
            () => there.States("safe").SequenceEqual(["/a in-sync 0", "/n in-sync 1", "/c in-sync 2"]), "the new one");
        await there.Pools.ReplaceDeviceAsync("safe", new() { Path = "0", Replacement = "/m" }, "me");
        await there.UntilAsync(
            () => there.States("safe").SequenceEqual(["/m in-sync 0", "/n in-sync 1", "/c in-sync 2"]), "another one");
        Assert.Equal(Content, await there.ReadAsync("safe", "vm1", Content.Length));

        static async Task RefuseAsync(string problem, Func<Task> change) =>
            Assert.Contains(problem, (await Assert.ThrowsAsync<ApiException>(change)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_set_is_taken_elsewhere_under_another_name_without_one_of_its_devices()
    {
        await using (var here = await PoolsUnderTest.OpenAsync(disk))
        {
            await here.Pools.CreateAsync(Request(5, ["/a", "/b", "/c"], ["/s"]), "me");
            await here.WriteAsync("safe", "vm1", Content);
            await here.Pools.ExportAsync("safe", force: false, "me");
        }
        await using (var there = await PoolsUnderTest.OpenAsync(disk, "/other", host: 2, seed: 2))
        {
            await there.Pools.ImportAsync(new() { Devices = ["/c", "/a"], Name = "taken" }, "me");
            Assert.Equal(Content, await there.ReadAsync("taken", "vm1", Content.Length));
            Assert.Equal(["/a in-sync 0", " missing 1", "/c in-sync 2"], there.States("taken"));
            var mixed = await Assert.ThrowsAsync<ApiException>(() => there.Pools.ImportAsync(new() { Devices = ["/s", "/b"] }, "me"));
            Assert.Equal(ProblemKind.Exists, mixed.Kind); // It is of the set that is here.
            await there.Pools.AddDeviceAsync("taken", new() { Path = "/b", IsSpare = true, Force = true }, "me");
            await there.UntilAsync(() => there.Show("taken").Raid!.State == "healthy", "health");
        }
    }

    [Fact]
    public async Task Only_what_is_allocated_is_rebuilt()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []) with { SizeBytes = 256 * Mebibyte }, "me");
        await server.WriteAsync("safe", "vm1", Content);
        var raid = server.Pools.GetEntry("safe").Devices.Raid!;
        var allocated = server.Pools.GetEntry("safe").Devices.Allocation;
        var blocks = raid.Geometry.BlockCount;
        var chunk = 64 * 1024 / raid.Geometry.BlockSizeBytes;
        var used = Enumerable.Range(0, (int)(blocks / chunk)).Count(i => allocated.IsAllocated(new(i * (long)chunk), chunk));
        Assert.InRange(used * 64L * 1024, 24 * Mebibyte, 36 * Mebibyte); // Metadata, and what was written.
        disk.Delete("/b");
        await server.Pools.AddDeviceAsync("safe", new() { Path = "/c", IsSpare = true }, "me");
        await server.UntilAsync(() => server.Show("safe").Raid!.State == "healthy" && server.States("safe").Count == 3, "health");
        disk.Delete("/a");
        await server.UntilAsync(() => server.Show("safe").Raid!.State == "degraded", "the loss of the other");
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
    }

    [Fact]
    public async Task What_rots_on_a_device_is_repaired_by_a_scrub_and_told()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(6, ["/a", "/b", "/c", "/d"], []), "me");
        await server.WriteAsync("safe", "vm1", Content);
        await server.ScrubAsync("safe"); // All is in its place.
        using (var file = disk.Open("/c", FileOpenMode.Existing))
        {
            file.Write([.. Enumerable.Repeat((byte)7, 64 << 10)], file.LengthBytes / 2);
        }
        var found = await server.ScrubAsync("safe");
        Assert.Empty(found.Findings!);
        Assert.InRange(found.Stripes!.Repaired, 1, 2);
        Assert.Empty((await server.ScrubAsync("safe")).Findings!);
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
    }

    [Theory]
    [InlineData("/a")]
    [InlineData("/b")]
    public async Task A_copy_that_rots_is_mended_from_the_one_that_its_checksum_calls_right(string device)
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
        await server.WriteAsync("safe", "vm1", Content);
        using (var file = disk.Open(device, FileOpenMode.Existing))
        {
            var all = new byte[file.LengthBytes];
            file.Read(all, 0);
            var at = all.AsSpan().IndexOf(Content.AsSpan(0, 4096));
            Assert.True(at > 0);
            file.Write(Other.AsSpan(0, 8192), at);
        }
        var found = await server.ScrubAsync("safe");
        Assert.Empty(found.Findings!);
        Assert.Equal(2, server.Pools.Get("safe").Statistics.RepairedBlocks);
        disk.Delete(device == "/a" ? "/b" : "/a");
        await server.UntilAsync(() => server.Show("safe").Raid!.State == "degraded", "the loss of the other");
        Assert.Equal(Content, await server.ReadAsync("safe", "vm1", Content.Length));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, false)]
    [InlineData(0, true)]
    public async Task What_rots_in_a_set_of_one_parity_is_mended_by_what_the_map_says_of_the_others(int rotten, bool isTrashed)
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(5, ["/a", "/b", "/c"], []), "me");
        await server.WriteAsync("safe", "vm1", Content);
        if (isTrashed) await server.Pools.Get("safe").DeleteAsync("vm1", force: false);
        await server.ScrubAsync("safe"); // All is in its place.
        var (offset, devices) = FindStripe();
        var before = ReadAt(devices[rotten], offset);
        using (var file = disk.Open(devices[rotten], FileOpenMode.Existing)) file.Write(Other.AsSpan(0, 8192), offset);
        var found = await server.ScrubAsync("safe");
        Assert.Empty(found.Findings!);
        Assert.Equal(0, found.Stripes!.Uncertain);
        Assert.Equal(before, ReadAt(devices[rotten], offset));
        Assert.Equal(new ScrubbedStripes(0, 0, 0, 0), (await server.ScrubAsync("safe")).Stripes);

        // Where two chunks of the content that follow each other lie side by side: they, and the parity of both.
        (long Offset, string[] Devices) FindStripe()
        {
            string[] paths = ["/a", "/b", "/c"];
            var chunk = 64 << 10;
            for (var at = 0; at + (2 * chunk) <= Content.Length; at += chunk)
            {
                var (first, second) = (Find(at), Find(at + chunk));
                if (first.Offset != second.Offset || first.Device == second.Device) continue;
                return (first.Offset, [first.Device, second.Device, paths.Single(path => path != first.Device && path != second.Device)]);
            }
            throw new InvalidOperationException("No such stripe.");

            (string Device, long Offset) Find(int at) =>
                paths.Select(path => (path, (long)ReadAt(path, 0, all: true).AsSpan().IndexOf(Content.AsSpan(at, 4096))))
                    .First(each => each.Item2 > 0);
        }

        byte[] ReadAt(string path, long at, bool all = false)
        {
            using var file = disk.Open(path, FileOpenMode.ReadOnly);
            var bytes = new byte[all ? file.LengthBytes : 64 << 10];
            file.Read(bytes, at);
            return bytes;
        }
    }

    [Fact]
    public async Task The_stripes_wait_as_well_while_a_scrub_is_paused()
    {
        await using var server = await PoolsUnderTest.OpenAsync(disk);
        await server.Pools.CreateAsync(Request(1, ["/a", "/b"], []), "me");
        var entry = server.Pools.GetEntry("safe");
        var raid = entry.Devices.Raid!;
        var (work, context) = (entry.Served!.CreateScrub(raid), new TaskContext(TimeProvider.System, null));
        context.Pause(isPaused: true);
        var running = work.RunAsync(context);
        await server.UntilAsync(() => raid.Scrub.DoneBytes > 0, "the first stripe");
        var steps = 0;
        await server.UntilAsync(() => ++steps > 50, "some time");
        Assert.Equal(raid.ChunkBytes, raid.Scrub.DoneBytes);
        context.Pause(isPaused: false);
        await server.UntilAsync(() => running.IsCompleted, "the end of the scrub");
        await running;
        Assert.Equal(work.Progress.TotalBytes, work.Progress.DoneBytes);
    }

    static CreatePool Request(int level, string[] devices, string[] spares) => new()
    {
        Name = "safe",
        Devices = devices,
        SizeBytes = 8 * Mebibyte,
        Raid = new() { Level = level, Spares = spares },
    };
}
