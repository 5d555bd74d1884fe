using System.Diagnostics;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3;

/// <summary>Programs that speak S3, told by environment and files of their own whom to talk to.</summary>
sealed class S3Client
{
    readonly S3Store store;

    public S3Client(S3Store store)
    {
        this.store = store;
        File.WriteAllText(
            $"{store.Work}/aws", "[default]\ns3 =\n  addressing_style = path\n  signature_version = s3v4\n  max_concurrent_requests = 4\n");
        File.WriteAllText($"{store.Work}/s3cfg", $"""
            [default]
            access_key = {S3Store.KeyId}
            secret_key = {S3Store.Secret}
            host_base = 127.0.0.1:{store.Port}
            host_bucket = 127.0.0.1:{store.Port}
            use_https = False
            multipart_chunk_size_mb = 5
            """);
        File.WriteAllText($"{store.Work}/rclone", $"""
            [ashlar]
            type = s3
            provider = Other
            access_key_id = {S3Store.KeyId}
            secret_access_key = {S3Store.Secret}
            endpoint = {store.Url}
            """);
        File.WriteAllText($"{store.Work}/s3fs", $"{S3Store.KeyId}:{S3Store.Secret}\n");
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode($"{store.Work}/s3fs", UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public string Aws(params string[] arguments) =>
        Run("aws", ["--endpoint-url", store.Url, "--region", "us-east-1", .. arguments]).MustSucceed();

    public string Rclone(params string[] arguments) => Run("rclone", ["--config", $"{store.Work}/rclone", .. arguments]).MustSucceed();

    public string S3Cmd(params string[] arguments) =>
        Run("s3cmd", ["-c", $"{store.Work}/s3cfg", "--no-progress", .. arguments]).MustSucceed();

    public string Restic(params string[] arguments) =>
        Run("restic", ["-r", $"s3:{store.Url}/restic", "--no-cache", "-o", "s3.bucket-lookup=path", .. arguments]).MustSucceed();

    /// <summary>Runs a program in Python.</summary>
    public string Python(string program) => Run("/usr/bin/python3", ["-c", program]).MustSucceed();

    public ToolResult Run(string tool, string[] arguments)
    {
        var start = new ProcessStartInfo(ExternalTool.Find(tool) ?? tool, arguments) { WorkingDirectory = store.Work };
        foreach (var (name, value) in ((string, string)[])
            [
                ("AWS_ACCESS_KEY_ID", S3Store.KeyId), ("AWS_SECRET_ACCESS_KEY", S3Store.Secret), ("AWS_CONFIG_FILE", $"{store.Work}/aws"),
                ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", ""), ("RESTIC_PASSWORD", "password"),
                ("HOME", store.Work), ("ENDPOINT", store.Url),
                ("S3_WORK", store.Work), ("no_proxy", "*"),
            ])
        {
            start.Environment[name] = value;
        }

        start.Environment.Remove("AWS_CA_BUNDLE"); // Some clients cannot have one.
        return ExternalTool.Run(TimeSpan.FromMinutes(2), start);
    }

    /// <summary>A part of what is documented on this machine, with names as people give them.</summary>
    public string CreateTree(int files = 30)
    {
        var root = $"{store.Work}/tree";
        var found = Directory.Exists("/usr/share/doc")
            ? Directory.EnumerateFiles("/usr/share/doc", "*", new EnumerationOptions
            {
                RecurseSubdirectories = true,
                AttributesToSkip = FileAttributes.ReparsePoint,
            })
                .Order(StringComparer.Ordinal).Where((_, index) => index % 37 == 0).Take(files)
            : [];
        foreach (var path in found)
        {
            var copy = $"{root}/{Path.GetRelativePath("/usr/share/doc", path)}";
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }

        Directory.CreateDirectory($"{root}/a b");
        File.WriteAllText($"{root}/a b/c+d & e=f%20 'g' é", "content");
        File.WriteAllText($"{root}/empty", "");
        File.WriteAllBytes($"{root}/parts", Content(9 << 20));
        return root;
    }

    public static byte[] Content(int length, int seed = 1)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    public static void AssertEqualTrees(string expected, string found) =>
        ExternalTool.Run("diff", "-r", expected, found).MustSucceed();
}
