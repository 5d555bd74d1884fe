using Ashlar.Interop.Tests.Conformance;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Guests;

/// <summary>
/// The initiators of the Linux kernel, in a guest that boots once for all of them: file systems, data that fio verifies, discards, a
/// volume that grows, reservations.
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

    /// <summary>The guest, and what each step of its job printed.</summary>
    public sealed class Boot : IAsyncLifetime
    {
        static readonly string[] Steps = ["common", "nbd", "iscsi", "nvme"];

        IReadOnlyDictionary<string, ToolResult> results = new Dictionary<string, ToolResult>();

        public ToolResult Step(string name) => results[name];

        public async Task InitializeAsync()
        {
            if (LinuxGuest.WhyNot is not null) return;
            using var directory = TemporaryDirectory.OnDisk();
            using var server = new AshlarProcess(directory["data"], "512MiB");
            server.Start();
            foreach (var volume in (string[])["nbd", "nvme"]) server.CreateVolume(volume, "64MiB");
            server.CreateVolume("iscsi", "320MiB"); // Smaller ones are none for XFS.
            results = await LinuxGuest.RunAsync(
                [.. Steps.Select(step => $"{AppContext.BaseDirectory}Guests/Job/{step}.sh")],
                new Dictionary<string, string>
                {
                    ["HOST"] = "10.0.2.2",
                    ["API_PORT"] = $"{server.Api.Port}",
                    ["NBD_PORT"] = $"{server.NbdEndPoint.Port}",
                    ["ISCSI_PORT"] = $"{server.IscsiEndPoint.Port}",
                    ["NVME_PORT"] = $"{server.NvmeEndPoint.Port}",
                    ["NQN"] = "nqn.2026-11.io.ashlar",
                    ["IQN"] = "iqn.2026-11.io.ashlar",
                });
            server.Stop();
        }

        public Task DisposeAsync() => Task.CompletedTask;
    }
}
