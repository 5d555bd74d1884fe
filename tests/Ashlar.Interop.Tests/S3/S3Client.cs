using System.Diagnostics;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3;

/// <summary>Programs that speak S3, told by environment and files of their own whom to talk to.</summary>
sealed class S3Client
{
    readonly string work, url, keyId, secret;

    public S3Client(S3Store store)
        : this(store.Work, store.Url, S3Store.KeyId, S3Store.Secret)
    {
    }

    /// <param name="work">A directory for files of the clients.</param>
    /// <param name="url">Where the server is.</param>
    /// <param name="keyId">Who asks.</param>
    /// <param name="secret">Proves it.</param>
    public S3Client(string work, string url, string keyId, string secret)
    {
        (this.work, this.url, this.keyId, this.secret) = (work, url, keyId, secret);
        var host = new Uri(url).Authority;
        File.WriteAllText(
            $"{work}/aws", "[default]\ns3 =\n  addressing_style = path\n  signature_version = s3v4\n  max_concurrent_requests = 4\n");
        File.WriteAllText($"{work}/s3cfg", $"""
            [default]
            access_key = {keyId}
            secret_key = {secret}
            host_base = {host}
            host_bucket = {host}
            use_https = False
            multipart_chunk_size_mb = 5
            """);
        File.WriteAllText($"{work}/rclone", $"""
            [ashlar]
            type = s3
            provider = Other
            access_key_id = {keyId}
            secret_access_key = {secret}
            endpoint = {url}
            """);
        File.WriteAllText($"{work}/s3fs", $"{keyId}:{secret}\n");
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode($"{work}/s3fs", UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>After this a client hangs.</summary>
    public TimeSpan Deadline { get; init; } = ExternalTool.DefaultDeadline;

    public string Aws(params string[] arguments) =>
        Run("aws", ["--endpoint-url", url, "--region", "us-east-1", .. arguments]).MustSucceed();

    public string Rclone(params string[] arguments) => Run("rclone", ["--config", $"{work}/rclone", .. arguments]).MustSucceed();

    public string S3Cmd(params string[] arguments) =>
        Run("s3cmd", ["-c", $"{work}/s3cfg", "--no-progress", .. arguments]).MustSucceed();

    public string Restic(params string[] arguments) =>
        Run("restic", ["-r", $"s3:{url}/restic", "--no-cache", "-o", "s3.bucket-lookup=path", .. arguments]).MustSucceed();

    /// <summary>Runs a program in Python: that of the distribution, or the one with the new boto3.</summary>
    public string Python(string program, bool isNew = false) =>
        Run(isNew ? LanguageSdks.Python! : "/usr/bin/python3", ["-c", program]).MustSucceed();

    /// <summary>Runs a program in JavaScript.</summary>
    public string Node(string program) => Run("node", ["-e", program]).MustSucceed();

    public ToolResult Run(string tool, string[] arguments)
    {
        var start = new ProcessStartInfo(ExternalTool.Find(tool) ?? tool, arguments) { WorkingDirectory = work };
        foreach (var (name, value) in ((string, string)[])
            [
                ("AWS_ACCESS_KEY_ID", keyId), ("AWS_SECRET_ACCESS_KEY", secret), ("AWS_CONFIG_FILE", $"{work}/aws"),
                ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", ""), ("RESTIC_PASSWORD", "password"),
                ("HOME", work), ("ENDPOINT", url),
                ("S3_WORK", work), ("no_proxy", "*"),
                ("KEY", keyId), ("SECRET", secret), ("OTHER_KEY", S3Store.OtherKeyId), ("OTHER_SECRET", S3Store.OtherSecret),
                ("NODE_PATH", LanguageSdks.NodeModules),
            ])
        {
            start.Environment[name] = value;
        }

        if (tool == LanguageSdks.Python) start.Environment["PYTHONPATH"] = LanguageSdks.PythonModules;
        start.Environment.Remove("AWS_CA_BUNDLE"); // Some clients cannot have one.
        return ExternalTool.Run(Deadline, start);
    }

    /// <summary>A part of what is documented on this machine, with names as people give them.</summary>
    public string CreateTree(int files = 30)
    {
        var root = $"{work}/tree";
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
