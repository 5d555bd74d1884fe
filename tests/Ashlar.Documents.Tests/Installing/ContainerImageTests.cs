using System.Diagnostics;

namespace Ashlar.Documents.Tests;

/// <summary>The container image is what an operator expects of one, and its program serves as the user that the image names.</summary>
public sealed class ContainerImageTests(ContainerImages images) : IClassFixture<ContainerImages>
{
    const int PermissionDenied = 4;

    static readonly TimeSpan LongestStop = TimeSpan.FromMinutes(1);

    public static TheoryData<string> Processors() => [.. Processor.OfTier.Select(processor => processor.Debian)];

    [Theory]
    [MemberData(nameof(Processors))]
    public async Task It_says_what_it_is_and_has_the_program_and_nothing_else(string debian)
    {
        var processor = Processor.Named(debian);
        var image = await images.OfAsync(processor);
        Assert.Equal(debian, image.Description.GetProperty("architecture").GetString());
        Assert.Equal(["/app/ashlar", "serve"], image.CommandLine);
        Assert.Equal("1654:1654", image.RunsAs);
        Assert.Equal("/var/lib/ashlar", image.Environment["ASHLAR_DATA"]);
        Assert.Equal(["10809/tcp", "3260/tcp", "4420/tcp", "9000/tcp", "9001/tcp"], image.Ports);
        var version = image.Label("org.opencontainers.image.version");
        Assert.Contains($"ashlar {version} ", HelpPage.Print("version").Replace('\n', ' '), StringComparison.Ordinal);
        Assert.Equal([$"ashlar:{version}"], image.Names);
        Assert.Equal("Apache-2.0", image.Label("org.opencontainers.image.licenses"));
        Assert.Contains("Block storage", image.Label("org.opencontainers.image.description"), StringComparison.Ordinal);

        Assert.Equal(["app/ashlar"], image.OwnFiles());
        var root = Path.Combine(images.DirectoryPath, $"{debian}-files");
        image.Unpack(root);
        Assert.Equal(processor.ElfMachine, SelfContainedProgram.Read($"{root}/app/ashlar").Machine);
    }

    [FactOnMachineCopy("chroot", "unshare", "curl", "ps")]
    public async Task It_serves_as_its_user_keeps_volumes_and_stops_when_it_is_asked_to()
    {
        var image = await images.OfAsync(Processor.Own);
        var root = Path.Combine(images.DirectoryPath, "root");
        image.Unpack(root);
        using var machine = MachineCopy.Create(images.DirectoryPath);
        machine.Run($"mkdir -p {root}/proc {root}/dev {root}/var/lib/ashlar; mount --rbind /dev {root}/dev").MustSucceed();

        // Nobody gave it a place for its data: the user of the image has no rights elsewhere.
        var refused = machine.Run(
            ExternalTool.DefaultDeadline, image.Environment, "/", [.. Started(image, root), .. image.CommandLine]);
        Assert.True(refused.ExitCode == PermissionDenied, refused.ToString());
        Assert.Contains("/var/lib/ashlar", refused.Errors, StringComparison.Ordinal);

        var owner = image.RunsAs.Split(':');
        machine.Run($"mount -t tmpfs -o mode=700,uid={owner[0]},gid={owner[1]} volume {root}/var/lib/ashlar").MustSucceed();
        Serve(machine, image, root, execute => execute("volume create vm1 --size 1GiB").MustSucceed());
        Serve(machine, image, root, execute => Assert.Equal("vm1\n", execute("volume list -o name").MustSucceed()));
    }

    /// <summary>Starts the image as an engine does, as the first of its processes, uses it, and stops it as an engine does.</summary>
    static void Serve(MachineCopy machine, ImageArchive image, string root, Action<Func<string, ToolResult>> use)
    {
        var start = machine.StartInfo(image.Environment, "/", [.. Started(image, root), .. image.CommandLine]);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var server = Process.Start(start)!;
        var output = server.StandardOutput.ReadToEndAsync();
        var errors = server.StandardError.ReadToEndAsync();
        string Said() => $"{output.Result}\n{errors.Result}";
        try
        {
            var isReady = machine.Run("curl -fs --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:9001/readyz").ExitCode == 0;
            if (!isReady) server.Kill(entireProcessTree: true);
            Assert.True(isReady, isReady ? null : $"it is not ready\n{Said()}");
            foreach (var port in image.Ports) machine.Run($": 3<>/dev/tcp/127.0.0.1/{port.Split('/')[0]}").MustSucceed();
            var id = machine.Run("ps -o pid= -C ashlar").MustSucceed().Trim();
            Assert.Equal(image.RunsAs, machine.Run($"stat -c %u:%g /proc/{id}").MustSucceed().Trim());
            string[] beside = [.. Beside(image, id), image.CommandLine[0]];
            use(arguments => machine.Run(ExternalTool.DefaultDeadline, image.Environment, "/", [.. beside, .. arguments.Split(' ')]));
            machine.Run($"kill -TERM {id}").MustSucceed();
            Assert.True(server.WaitForExit(LongestStop), "it does not stop");
            Assert.True(server.ExitCode == 0, $"exit code {server.ExitCode}\n{Said()}");
        }
        finally
        {
            if (!server.HasExited) server.Kill(entireProcessTree: true);
        }
    }

    // As an engine starts an image: the first of its own processes, and its user has no other groups.
    static string[] Started(ImageArchive image, string root) =>
    [
        "unshare", "--fork", "--pid", "--kill-child", $"--mount-proc={root}/proc",
        "chroot", $"--userspec={image.RunsAs}", "--groups=", root,
    ];

    // As an engine executes a command in an image that runs.
    static string[] Beside(ImageArchive image, string id)
    {
        var owner = image.RunsAs.Split(':');
        return ["nsenter", $"--target={id}", "--pid", "--mount", "--root", "--wd", $"--setuid={owner[0]}", $"--setgid={owner[1]}"];
    }
}
