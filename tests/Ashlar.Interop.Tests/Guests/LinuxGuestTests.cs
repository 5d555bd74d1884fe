using System.Net;
using Ashlar.Interop.Tests.Conformance;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Guests;

/// <summary>
/// The initiators of the Linux kernel, in a guest that boots once for all of them: file systems, data that fio verifies, discards, a
/// volume that grows, reservations, several paths, proof, a server that is killed.
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
    public void Writes_go_on_by_the_other_path_when_one_is_cut_over_iSCSI_and_NVMe()
    {
        if (TestTier.IsDeep) boot.Step("multipath").MustSucceed();
    }

    [GuestFact]
    public void Initiators_prove_who_they_are_and_reserve_volumes_against_each_other()
    {
        if (TestTier.IsDeep) boot.Step("chap").MustSucceed();
    }

    [GuestFact]
    public void File_systems_go_on_when_the_server_is_killed_or_stopped_and_started_again()
    {
        if (TestTier.IsDeep) boot.Step("restart").MustSucceed();
    }

    /// <summary>The guest, and what each step of its job printed.</summary>
    public sealed class Boot : IAsyncLifetime
    {
        const string Secret = "initiators-know-this", TargetSecret = "the-target-knows-this";

        // The last ends the server, whose ports are others then.
        static readonly string[] Steps =
            ["common", "nbd", "iscsi", "nvme", .. TestTier.Choose<string[]>([], ["multipath", "chap", "restart"])];

        IReadOnlyDictionary<string, ToolResult> results = new Dictionary<string, ToolResult>();

        public ToolResult Step(string name) => results[name];

        public async Task InitializeAsync()
        {
            if (LinuxGuest.WhyNot is not null) return;
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
                ["kill"] = () => Assert.True(server.Kill()),
                ["stop"] = server.Stop,
                ["start"] = server.Start,
            });
            results = await LinuxGuest.RunAsync(
                [.. Steps.Select(step => $"{AppContext.BaseDirectory}Guests/Job/{step}.sh")],
                new Dictionary<string, string>
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
                    ["SECRET"] = Secret,
                    ["TARGET_SECRET"] = TargetSecret,
                    ["NQN"] = "nqn.2026-11.io.ashlar",
                    ["IQN"] = "iqn.2026-11.io.ashlar",
                });
            if (server.IsRunning) server.Stop(); // Else the step says why it is not.
        }

        public Task DisposeAsync() => Task.CompletedTask;

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
