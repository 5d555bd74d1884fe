using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3;

/// <summary>Programs that others have written for S3, as they are.</summary>
public sealed class S3ClientTests : IAsyncLifetime
{
    S3Store store = null!;
    S3Client client = null!;

    public async Task InitializeAsync()
    {
        store = await S3Store.StartAsync();
        client = new(store);
    }

    public async Task DisposeAsync()
    {
        var failures = store.Failures.ToArray();
        await store.DisposeAsync();
        Assert.Empty(failures);
    }

    [FactIfTool("aws")]
    public async Task The_AWS_command_line_copies_synchronises_lists_presigns_and_removes()
    {
        var tree = client.CreateTree();
        client.Aws("s3", "mb", "s3://bucket");
        client.Aws("s3", "sync", tree, "s3://bucket/tree", "--only-show-errors");
        store.TakeUploads();
        Assert.Equal("", client.Aws("s3", "sync", tree, "s3://bucket/tree").Trim());
        Assert.Equal(0, store.TakeUploads());
        client.Aws("s3", "sync", "s3://bucket/tree", $"{store.Work}/back", "--only-show-errors");
        S3Client.AssertEqualTrees(tree, $"{store.Work}/back");
        Assert.Contains("PRE a b/", client.Aws("s3", "ls", "s3://bucket/tree/"), StringComparison.Ordinal);
        client.Aws("s3", "cp", $"{tree}/parts", "s3://bucket/one", "--only-show-errors");
        client.Aws("s3", "cp", "s3://bucket/one", "s3://bucket/two", "--only-show-errors");
        client.Aws("s3", "mv", "s3://bucket/two", "s3://bucket/three", "--only-show-errors");
        Assert.Contains("9437184 three", client.Aws("s3", "ls", "s3://bucket/three"), StringComparison.Ordinal);
        var url = client.Aws("s3", "presign", "s3://bucket/tree/a b/c+d & e=f%20 'g' é").Trim();
        using var http = new HttpClient();
        Assert.Equal("content", await http.GetStringAsync(url));
        client.Aws("s3", "rm", "s3://bucket", "--recursive", "--only-show-errors");
        client.Aws("s3", "rb", "s3://bucket");
        Assert.Equal("", client.Aws("s3", "ls").Trim());
    }

    [FactIfTool("rclone")]
    public void Rclone_copies_checks_lists_and_synchronises()
    {
        var tree = client.CreateTree();
        client.Rclone("copy", tree, "ashlar:bucket/tree");
        client.Rclone("check", tree, "ashlar:bucket/tree");
        store.TakeUploads();
        client.Rclone("sync", tree, "ashlar:bucket/tree");
        Assert.Equal(0, store.TakeUploads());
        var listed = client.Rclone("lsf", "-R", "--files-only", "ashlar:bucket/tree").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Directory.GetFiles(tree, "*", SearchOption.AllDirectories).Length, listed.Length);
        File.WriteAllText($"{tree}/new", "new");
        File.Delete($"{tree}/empty");
        client.Rclone("sync", tree, "ashlar:bucket/tree");
        client.Rclone("check", "--download", tree, "ashlar:bucket/tree");
        File.SetLastWriteTimeUtc($"{tree}/new", DateTime.UnixEpoch);
        client.Rclone("copy", tree, "ashlar:bucket/tree"); // Only the time differs: the object is copied onto itself.
        Assert.Contains("1970-01-01", client.Rclone("lsl", "ashlar:bucket/tree/new"), StringComparison.Ordinal);
        client.Rclone("purge", "ashlar:bucket");
    }

    [FactIfTool("s3cmd")]
    public void S3cmd_puts_gets_lists_informs_and_removes()
    {
        var tree = client.CreateTree(20);
        client.S3Cmd("mb", "s3://bucket");
        client.S3Cmd("sync", tree + "/", "s3://bucket/tree/");
        store.TakeUploads();
        client.S3Cmd("sync", tree + "/", "s3://bucket/tree/");
        Assert.Equal(0, store.TakeUploads());
        Directory.CreateDirectory($"{store.Work}/back");
        client.S3Cmd("sync", "s3://bucket/tree/", $"{store.Work}/back/");
        S3Client.AssertEqualTrees(tree, $"{store.Work}/back");
        Assert.Contains("s3://bucket/tree/a b/", client.S3Cmd("ls", "s3://bucket/tree/"), StringComparison.Ordinal);
        Assert.Contains("Location:  us-east-1", client.S3Cmd("info", "s3://bucket"), StringComparison.Ordinal);
        Assert.Contains("File size: 9437184", client.S3Cmd("info", "s3://bucket/tree/parts"), StringComparison.Ordinal);
        client.S3Cmd("cp", "s3://bucket/tree/parts", "s3://bucket/copy");
        client.S3Cmd("rm", "--recursive", "--force", "s3://bucket");
        client.S3Cmd("rb", "s3://bucket");
    }

    [FactIfTool("restic")]
    public void Restic_backs_up_checks_prunes_and_restores()
    {
        var tree = client.CreateTree();
        client.Restic("init");
        client.Restic("backup", tree);
        File.WriteAllText($"{tree}/more", "more");
        client.Restic("backup", tree);
        client.Restic("check", "--read-data");
        client.Restic("forget", "--keep-last", "1", "--prune");
        client.Restic("check", "--read-data");
        client.Restic("restore", "latest", "--target", $"{store.Work}/restored");
        S3Client.AssertEqualTrees(tree, $"{store.Work}/restored{tree}");
    }

    [FactIfTool("s3fs", "aws")]
    public void S3fs_mounts_a_bucket()
    {
        if (!File.Exists("/dev/fuse")) return;
        client.Aws("s3", "mb", "s3://bucket");
        var mount = Directory.CreateDirectory($"{store.Work}/mount").FullName;
        string[] options = ["-o", $"url={store.Url}", "-o", "use_path_request_style", "-o", $"passwd_file={store.Work}/s3fs", "-o",
            "endpoint=us-east-1"];
        var mounted = client.Run("s3fs", ["bucket", mount, .. options]);
        if (mounted.ExitCode != 0) return; // Not every machine lets a test mount.
        try
        {
            Directory.CreateDirectory($"{mount}/a/b");
            File.WriteAllBytes($"{mount}/a/b/c", S3Client.Content(100_000));
            File.Move($"{mount}/a/b/c", $"{mount}/a/d");
            Assert.Equal(S3Client.Content(100_000), File.ReadAllBytes($"{mount}/a/d"));
            Assert.Equal(
                ["b", "d"], Directory.EnumerateFileSystemEntries($"{mount}/a").Select(Path.GetFileName).Order(StringComparer.Ordinal));
            File.Delete($"{mount}/a/d");
            Directory.Delete($"{mount}/a/b");
        }
        finally
        {
            ExternalTool.Run("umount", mount);
        }
    }
}
