using System.Text;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Iscsi;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Exports;

/// <summary>Who is let in by which export, and what is remembered of it.</summary>
public sealed class ServedExportsTests : IDisposable
{
    const string Host = "iqn.2026-11.test:one", Secret = "twelve bytes or more", TargetSecret = "another one of ours";

    static readonly Guid Volume = new(1, 0, 0, new byte[8]), Other = new(2, 0, 0, new byte[8]);

    readonly TemporaryDirectory place = new();
    readonly ServerOptions options;
    readonly DataDirectory directory;
    readonly List<string> log = [];
    ServedExports exports;

    public ServedExportsTests()
    {
        options = new()
        {
            DataDirectory = place["data"],
            FileSystem = FileSystems.Real,
            Entropy = new SeededEntropy(1),
        };
        directory = DataDirectory.Open(options);
        exports = Open();
    }

    public void Dispose()
    {
        directory.Dispose();
        place.Dispose();
    }

    [Fact]
    public void A_volume_without_exports_is_open_and_one_with_exports_is_reached_through_them_alone()
    {
        Assert.Equal(ExportDecision.Open, Decide(Volume, Nbd()));
        Create("a", new() { Protocols = ["iscsi"] });
        Assert.Equal((false, true), (Decide(Volume, Nbd()).IsAllowed, Decide(Volume, Iscsi()).IsAllowed));
        Assert.True(Decide(Other, Nbd()).IsAllowed);
        Assert.False(exports.Decide(Volume, "monday", Iscsi()).IsAllowed); // Its snapshots, too.
        exports.Delete("a", "me");
        Assert.Equal(ExportDecision.Open, Decide(Volume, Nbd()));
    }

    [Theory]
    [InlineData("192.0.2.7:1000", true)]
    [InlineData("192.0.2.255:1000", true)]
    [InlineData("192.0.3.1:1000", false)]
    [InlineData("[::ffff:192.0.2.7]:1000", true)]
    [InlineData("[2001:db8::7]:1000", true)]
    [InlineData("[2001:db9::7]:1000", false)]
    [InlineData("198.51.100.1:1000", true)]
    [InlineData("198.51.100.2:1000", false)]
    [InlineData("nonsense", false)]
    public void Networks_say_who_is_let_in(string address, bool isAllowed)
    {
        Create("a", new() { Addresses = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.1"] });
        Assert.Equal(isAllowed, Decide(Volume, new(ClientProtocol.Nbd, address, address)).IsAllowed);
    }

    [Fact]
    public void Initiators_are_let_in_by_name_whatever_its_case_and_the_oldest_export_that_fits_counts()
    {
        Create("one", new() { Initiators = [Host], IsReadOnly = true });
        Create("all", new() { Protocols = ["iscsi"] });
        Assert.Equal(new(true, true, "one"), Decide(Volume, Iscsi(Host.ToUpperInvariant())));
        Assert.Equal(new(true, false, "all"), Decide(Volume, Iscsi("iqn.2026-11.test:two")));
        exports.Change("all", new() { Initiators = ["iqn.2026-11.test:three"] }, "me");
        Assert.False(Decide(Volume, Iscsi("iqn.2026-11.test:two")).IsAllowed);
    }

    [Fact]
    public void A_snapshot_is_exported_in_the_place_of_its_volume()
    {
        Create("old", new() { Snapshot = "monday" });
        Assert.False(Decide(Volume, Nbd()).IsAllowed);
        Assert.True(exports.Decide(Volume, "monday", Nbd()).IsAllowed);
        Assert.False(exports.Decide(Volume, "tuesday", Nbd()).IsAllowed);
    }

    [Fact]
    public void Who_has_something_to_prove_is_let_in_when_it_has()
    {
        Create("a", new() { Chap = Chap("host") });
        Assert.False(Decide(Volume, Iscsi()).IsAllowed);
        Assert.True(Decide(Volume, Iscsi() with { User = "host" }).IsAllowed);
        var demand = exports.Demand(Volume, null, Iscsi())!;
        var account = Assert.Single(demand.Accounts);
        Assert.True(demand.IsRequired);
        Assert.Equal((Secret, TargetSecret), (Text(account.Secret), Text(account.TargetSecret!)));
        Assert.False(exports.DemandOfDiscovery(Iscsi())!.IsRequired);
    }

    [Fact]
    public void A_volume_that_there_is_not_looks_like_one_that_asks_for_a_proof_where_any_does()
    {
        Create("mine", new() { Initiators = [Host] });
        Assert.Null(exports.Demand(null, null, Iscsi()));
        Create("a", new() { Volume = "other", Chap = Chap("host") }, Other);
        var (unknown, barred) = (exports.Demand(null, null, Iscsi("iqn.x:y")), exports.Demand(Volume, null, Iscsi("iqn.x:y")));
        Assert.True(unknown!.IsRequired);
        Assert.Equivalent(unknown, barred);
        Assert.DoesNotContain(unknown.Accounts, static account => account.User == "host");
        Assert.Null(exports.Demand(Volume, null, Iscsi()));
    }

    [Fact]
    public void What_is_remembered_holds_after_a_restart_and_secrets_are_sealed_on_disk()
    {
        Create("a", new() { Initiators = [Host], Addresses = ["192.0.2.0/24"], IsReadOnly = true, Chap = Chap("host") });
        exports = Open();
        var account = exports.Demand(Volume, null, Iscsi())!.Accounts[0];
        Assert.Equal((Secret, TargetSecret), (Text(account.Secret), Text(account.TargetSecret!)));
        Assert.Equal(new(true, true, "a"), Decide(Volume, Iscsi() with { User = "host" }));
        foreach (var path in Directory.GetFiles(directory.ExportsPath))
        {
            Assert.Equal("600", ExternalTool.Run("stat", "-c", "%a", path).MustSucceed().Trim());
            Assert.DoesNotContain(Secret, File.ReadAllText(path), StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)), File.ReadAllText(path), StringComparison.Ordinal);
        }
        Assert.DoesNotContain(log, line => line.Contains(Secret, StringComparison.Ordinal));
        Assert.DoesNotContain(Secret, Chap("host").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_read_opens_no_volume()
    {
        Create("a", new() { Chap = Chap("host") });
        var (record, key) = ($"{directory.ExportsPath}/export-000001", $"{directory.ExportsPath}/key");
        var (whole, secret) = (File.ReadAllText(record), File.ReadAllBytes(key));
        File.WriteAllText(record, whole.Replace("iscsi", "nbd..", StringComparison.Ordinal));
        Assert.Throws<CorruptDataException>(Open);
        File.WriteAllText(record, whole);
        File.WriteAllBytes(key, [.. secret[..31], (byte)(secret[31] ^ 1)]);
        Assert.Throws<CorruptDataException>(Open);
        File.Delete(key);
        Assert.Throws<CorruptDataException>(Open);
        File.WriteAllBytes(key, secret);
        Assert.True(Open().Decide(Volume, null, Iscsi() with { User = "host" }).IsAllowed);
    }

    [Fact]
    public void A_secret_opens_as_that_of_its_own_record_alone()
    {
        var box = new SecretBox(FileSystems.Real, $"{directory.ExportsPath}/key", new SeededEntropy(2));
        var first = box.Seal(Secret, "export 1 initiator");
        Assert.NotEqual(first, box.Seal(Secret, "export 1 initiator"));
        Assert.Equal(Secret, Text(box.Open(first, "export 1 initiator")));
        Assert.Throws<CorruptDataException>(() => box.Open(first, "export 1 target"));
        Assert.Throws<CorruptDataException>(() => box.Open(first.AsSpan(0, 20), "export 1 initiator"));
        for (var at = 0; at < first.Length; at++)
        {
            var altered = first.ToArray();
            altered[at] ^= 1;
            Assert.Throws<CorruptDataException>(() => box.Open(altered, "export 1 initiator"));
        }
    }

    [Fact]
    public void A_proof_is_of_one_export_and_not_of_another_that_has_its_name_later()
    {
        var host = new ClientIdentity(ClientProtocol.Nvme, "nqn.x", "192.0.2.1:1000") { Host = "nqn.x" };
        CreateOfHosts("DHHC-1:01:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR:");
        var account = Assert.Single(exports.DemandOfHost(Volume, null, host)!);
        var proved = host with { User = account.Name, Account = account.Id };
        Assert.Equal((false, true), (Decide(Volume, host).IsAllowed, Decide(Volume, proved).IsAllowed));
        Assert.Same(account, Assert.Single(exports.DemandAgain(account.Id)!));
        exports.Change("a", new() { WithoutDhChap = true }, "me");
        Assert.Null(exports.DemandAgain(account.Id));
        exports.Delete("a", "me");
        CreateOfHosts("DHHC-1:02:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vcSEgBQ==:");
        Assert.False(Decide(Volume, proved).IsAllowed);
        Assert.Empty(exports.DemandAgain(account.Id)!);

        void CreateOfHosts(string secret) =>
            exports.Create(New() with { Name = "a", DhChap = new() { Secret = secret } }, Volume, "me");
    }

    [Fact]
    public void What_makes_no_sense_is_refused_and_nothing_is_remembered_of_it()
    {
        CreateExport[] wrong =
        [
            New() with { Name = "A" },
            New() with { Name = "" },
            New() with { Name = "a/b" },
            New() with { Protocols = [] },
            New() with { Protocols = ["smb"] },
            New() with { Addresses = ["192.0.2.1/24"] },
            New() with { Addresses = ["nowhere"] },
            New() with { Initiators = ["host1"] },
            New() with { Initiators = ["iqn. x"] },
            New() with { Initiators = [Host], Protocols = ["nbd"] },
            New() with { Initiators = [Host], Protocols = ["nvme"] },
            New() with { Chap = Chap("host"), Protocols = ["nbd"] },
            New() with { Chap = Chap("") },
            New() with { Chap = Chap("host") with { Secret = "eleven byte" } },
            New() with { Chap = Chap("host") with { Secret = new string('x', 256) } },
            New() with { Chap = Chap("host") with { TargetSecret = Secret } },
            New() with { Chap = Chap("host") with { TargetSecret = null } },
        ];
        foreach (var request in wrong) Assert.Throws<ApiException>(() => exports.Create(request, Volume, "me"));
        Assert.Equal(["key"], Directory.GetFiles(directory.ExportsPath).Select(Path.GetFileName).DefaultIfEmpty("key"));
        Create("a", new() { Chap = Chap("host") });
        Assert.Throws<ApiException>(() => exports.Create(New() with { Name = "a" }, Volume, "me"));
        var otherSecret = Chap("host") with { Secret = "not the same secret" };
        Assert.Throws<ApiException>(() => exports.Create(New() with { Chap = otherSecret }, Other, "me"));
        Assert.Throws<ApiException>(() => exports.Change("a", new(), "me"));
        Assert.Throws<ApiException>(() => exports.Change("a", new() { Protocols = ["nbd"] }, "me"));
        Assert.Throws<ApiException>(() => exports.Change("b", new() { IsReadOnly = true }, "me"));
    }

    [Fact]
    public void What_is_not_said_of_protocols_is_what_the_rest_is_possible_with()
    {
        Assert.Equal(["iscsi", "nbd", "nvme"], Create("a", new()).Record.Protocols);
        Assert.Equal(["iscsi"], Create("b", new() { Initiators = [Host] }).Record.Protocols);
        Assert.Equal(["nvme"], Create("c", new() { Initiators = ["nqn.2014-08.org.nvmexpress:uuid:1"] }).Record.Protocols);
        Assert.Equal(["iscsi"], Create("d", new() { Chap = Chap("host") }).Record.Protocols);
    }

    [Fact]
    public void Whoever_has_to_know_is_told_of_each_change()
    {
        var told = 0;
        exports.Changed = () => told++;
        Create("a", new());
        exports.Change("a", new() { IsReadOnly = true }, "me");
        exports.Delete("a", "me");
        Assert.Equal(3, told);
    }

    ServedExports Open() => ServedExports.Open(directory, options, entry => log.Add(entry.Message));

    ExportDecision Decide(Guid volume, ClientIdentity client) => exports.Decide(volume, null, client);

    ServedExport Create(string name, Wanted wanted, Guid? volume = null) => exports.Create(
        new()
        {
            Name = name,
            Volume = wanted.Volume,
            Snapshot = wanted.Snapshot,
            Protocols = wanted.Protocols,
            Initiators = wanted.Initiators,
            Addresses = wanted.Addresses,
            IsReadOnly = wanted.IsReadOnly,
            Chap = wanted.Chap,
        },
        volume ?? Volume,
        "me");

    static CreateExport New() => new() { Name = "new", Volume = "vm1" };

    static ChapSecrets Chap(string user) => new() { User = user, Secret = Secret, TargetUser = "ashlar", TargetSecret = TargetSecret };

    static ClientIdentity Nbd() => new(ClientProtocol.Nbd, "192.0.2.1:1000", "192.0.2.1:1000");

    static ClientIdentity Iscsi(string host = Host) =>
        new(ClientProtocol.Iscsi, $"{host},i,0x800000000001", "192.0.2.1:1000") { Host = host };

    static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    sealed record Wanted
    {
        public string Volume { get; init; } = "vm1";

        public string? Snapshot { get; init; }

        public IReadOnlyList<string>? Protocols { get; init; }

        public IReadOnlyList<string>? Initiators { get; init; }

        public IReadOnlyList<string>? Addresses { get; init; }

        public bool IsReadOnly { get; init; }

        public ChapSecrets? Chap { get; init; }
    }
}
