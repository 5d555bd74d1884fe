using System.Net;
using Ashlar.Interop.Tests.Conformance;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Guests;

/// <summary>
/// The initiators of the Linux kernel, in a guest that boots once for all of them, from a clone over iSCSI: file systems, data that fio
/// verifies, discards, a volume that grows, reservations, several paths, proof, a server that is killed.
/// </summary>
public sealed class LinuxGuestTests(LinuxGuestTests.Boot boot) : IClassFixture<LinuxGuestTests.Boot>
{
    [GuestFact]
    public void The_client_of_NBD_keeps_a_file_system() => boot.Step("nbd").MustSucceed();

    [GuestFact]
    public void The_initiator_of_iSCSI_keeps_a_file_system_sees_a_volume_grow_and_reserves_it() => boot.Step("iscsi").MustSucceed();

    [GuestFact]
    public void The_host_of_NVMe_keeps_a_file_system_and_is_told_that_a_volume_grows() => boot.Step("nvme").MustSucceed();

    [GuestFact]
    public void What_the_host_of_NVMe_did_is_what_the_page_says() =>
        ClientCase.MustBeEqual(ClientCase.ReadPage("NVMe"), ClientCase.Read(boot.Step("nvme").Output));

    [GuestFact]
    public void What_the_kernel_did_is_what_the_page_says() => ClientCase.MustBeEqual(
        [.. ClientCase.ReadPage("Linux").Where(static row => row.Name != "boots from a clone, over nbd")],
        [.. Boot.OfKernel.SelectMany(step => ClientCase.Read(boot.Step(step).Output))]);

    [GuestFact]
    public void Writes_go_on_by_the_other_path_when_one_is_cut_over_iSCSI_and_NVMe() => boot.Step("multipath").MustSucceed();

    [GuestFact]
    public void Initiators_prove_who_they_are_and_reserve_volumes_against_each_other() => boot.Step("chap").MustSucceed();

    [GuestFact]
    public void File_systems_go_on_when_the_server_is_killed_and_started_again_and_again() => boot.Step("restart").MustSucceed();

    [GuestFact]
    public void A_machine_whose_disk_is_a_clone_over_iSCSI_boots_works_and_leaves_the_snapshot_as_it_was()
    {
        boot.Step("root").MustSucceed();
        boot.Root.MustHaveServed("iscsi");
    }

    [GuestFact]
    public async Task A_machine_whose_disk_is_a_clone_over_NBD_boots_works_and_leaves_the_snapshot_as_it_was()
    {
        var results = await RunAsync(boot.Root, "nbd", ["common", "root"], []);
        Assert.Single(ClientCase.Read(results["root"].MustSucceed()));
        boot.Root.MustHaveServed("nbd");
    }

    static Task<IReadOnlyDictionary<string, ToolResult>> RunAsync(
        RootDisk root, string protocol, IReadOnlyList<string> steps, Dictionary<string, string> variables) =>
        LinuxGuest.RunAsync(
            [.. steps.Select(step => $"{AppContext.BaseDirectory}Guests/Job/{step}.sh")],
            new Dictionary<string, string>(variables) { ["CLONE"] = protocol },
            root.Clone(protocol));

    /// <summary>The guest, and what each step of its job printed.</summary>
    public sealed class Boot : IAsyncLifetime
    {
        const string Secret = "initiators-know-this", TargetSecret = "the-target-knows-this";

        /// <summary>Steps whose rows are under one heading of the page.</summary>
        internal static IReadOnlyList<string> OfKernel { get; } = ["nbd", "iscsi", "multipath", "chap", "restart", "root"];

        // The last but one ends the server, whose ports are others then; the last puts the root away.
        static readonly string[] Steps = ["common", "nvme", .. OfKernel];

        IReadOnlyDictionary<string, ToolResult> results = new Dictionary<string, ToolResult>();
        RootDisk? root;

        internal RootDisk Root => root!;

        public ToolResult Step(string name) => results[name];

        public async Task InitializeAsync()
        {
            if (LinuxGuest.WhyNot is not null) return;
            root = new();
            using var directory = TemporaryDirectory.OnDisk();
            using var server = new AshlarProcess(directory["data"], "512MiB")
            {
                Options = ["--listen", "127.0.0.1", "--listen", "127.0.0.2"],
            };
            server.Start();
            CreateVolumes(server, directory);
            // Behind QEMU's translation the guest reaches one address: two paths are two ports there.
            var second = IPAddress.Parse("127.0.0.2");
            using var firstIscsi = new PathRelay(() => server.IscsiEndPoint);
            using var secondIscsi = new PathRelay(() => new(second, server.IscsiEndPoint.Port));
            using var firstNvme = new PathRelay(() => server.NvmeEndPoint);
            using var secondNvme = new PathRelay(() => new(second, server.NvmeEndPoint.Port));
            PathRelay[] firstPath = [firstIscsi, firstNvme];
            using var helper = new GuestHelper(new Dictionary<string, Action>
            {
                ["cut"] = () => Array.ForEach(firstPath, path => path.Cut()),
                ["mend"] = () => Array.ForEach(firstPath, path => path.Mend()),
                ["kill"] = () =>
                {
                    Array.ForEach(firstPath, path => path.Close());
                    Assert.True(server.Kill());
                },
                ["stop"] = () =>
                {
                    Array.ForEach(firstPath, path => path.Close());
                    server.Stop();
                },
                ["start"] = () =>
                {
                    server.Start();
                    Array.ForEach(firstPath, path => path.Mend());
                },
            });
            results = await RunAsync(
                root,
                "iscsi",
                Steps,
                new()
                {
                    ["HOST"] = "10.0.2.2",
                    ["API_PORT"] = $"{server.Api.Port}",
                    ["NBD_PORT"] = $"{server.NbdEndPoint.Port}",
                    ["ISCSI_PORT"] = $"{server.IscsiEndPoint.Port}",
                    ["NVME_PORT"] = $"{server.NvmeEndPoint.Port}",
                    ["FIRST_ISCSI_PORT"] = $"{firstIscsi.Port}",
                    ["SECOND_ISCSI_PORT"] = $"{secondIscsi.Port}",
                    ["FIRST_NVME_PORT"] = $"{firstNvme.Port}",
                    ["SECOND_NVME_PORT"] = $"{secondNvme.Port}",
                    ["HELPER_PORT"] = $"{helper.Port}",
                    ["LAST_END"] = TestTier.Choose("kill", "stop"),
                    ["SECRET"] = Secret,
                    ["TARGET_SECRET"] = TargetSecret,
                    ["NQN"] = "nqn.2026-11.io.ashlar",
                    ["IQN"] = "iqn.2026-11.io.ashlar",
                });
            if (server.IsRunning) server.Stop(); // Else the step says why it is not.
        }

        public Task DisposeAsync()
        {
            root?.Dispose();
            return Task.CompletedTask;
        }

        static void CreateVolumes(AshlarProcess server, TemporaryDirectory directory)
        {
            foreach (var volume in (string[])["nbd", "nvme", "paths", "npaths", "secret", "shared", "restart", "nrestart"])
                server.CreateVolume(volume, "64MiB");
            server.CreateVolume("iscsi", "320MiB"); // Smaller ones are none for XFS.
            File.WriteAllText(directory["secret"], Secret);
            File.WriteAllText(directory["target"], TargetSecret);
            server.Command(
                "export", "create", "secret", "--volume", "secret", "--chap", "guest", "--chap-secret-file", directory["secret"],
                "--mutual-user", "ashlar", "--mutual-secret-file", directory["target"]);
        }
    }
}
