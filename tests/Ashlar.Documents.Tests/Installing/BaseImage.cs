using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ashlar.Documents.Tests;

/// <summary>
/// A base image like the one that the SDK takes for programs with their own runtime: the C and C++ libraries, OpenSSL and nothing else.
/// It has an image for each processor; in that of another processor than this machine's there are no libraries.
/// </summary>
sealed class BaseImage
{
    public const string ListType = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";
    const string ConfigType = "application/vnd.docker.container.image.v1+json";
    const string LayerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    readonly Dictionary<string, (string Type, byte[] Content)> contents = new(StringComparer.Ordinal);

    public BaseImage()
    {
        var list = new
        {
            schemaVersion = 2,
            mediaType = ListType,
            manifests = new[] { Processor.Own, Processor.Other }.Select(processor => Manifest(processor)).ToArray(),
        };
        List = (string)Add(ListType, JsonSerializer.SerializeToUtf8Bytes(list))["digest"];
    }

    /// <summary>Digest of the list of images.</summary>
    public string List { get; }

    /// <summary>What there is under a digest.</summary>
    public (string Type, byte[] Content)? Find(string digest) => contents.TryGetValue(digest, out var found) ? found : null;

    Dictionary<string, object> Manifest(Processor processor)
    {
        var layer = Layer(processor == Processor.Own ? Libraries() : []);
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(layer);
        var config = new
        {
            architecture = processor.Debian,
            os = "linux",
            config = new { Env = new[] { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" } },
            rootfs = new { type = "layers", diff_ids = new[] { Digest(layer) } },
            history = new[] { new { created_by = "tests" } },
        };
        var manifest = new
        {
            schemaVersion = 2,
            mediaType = ManifestType,
            config = Add(ConfigType, JsonSerializer.SerializeToUtf8Bytes(config)),
            layers = new[] { Add(LayerType, packed.ToArray()) },
        };
        var entry = Add(ManifestType, JsonSerializer.SerializeToUtf8Bytes(manifest));
        entry["platform"] = new { architecture = processor.Debian, os = "linux" };
        return entry;
    }

    Dictionary<string, object> Add(string type, byte[] content)
    {
        var digest = Digest(content);
        contents[digest] = (type, content);
        return new(StringComparer.Ordinal) { ["mediaType"] = type, ["size"] = content.Length, ["digest"] = digest };
    }

    static byte[] Layer(IEnumerable<string> libraries)
    {
        const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        const UnixFileMode Executable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        const UnixFileMode Everybody = Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.StickyBit;
        var layer = new MemoryStream();
        using (var tar = new TarWriter(layer, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "tmp/") { Mode = Everybody });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "etc/passwd")
            {
                Mode = Readable,
                DataStream = new MemoryStream(Encoding.ASCII.GetBytes("root:x:0:0::/root:/sbin/nologin\n")),
            });
            foreach (var library in libraries)
            {
                using var content = File.OpenRead(library);
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, library[1..]) { Mode = Executable, DataStream = content });
            }
        }

        return layer.ToArray();
    }

    // What the runtime of this machine is linked with, and OpenSSL, which it opens for randomness and hashes.
    static IEnumerable<string> Libraries()
    {
        var runtime = Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libcoreclr.so");
        var openSsl = Paths(ExternalTool.Run("ldconfig", "-p"))
            .First(path => Path.GetFileName(path).StartsWith("libssl.so.", StringComparison.Ordinal));
        return new[] { openSsl }.Concat(Paths(ExternalTool.Run("ldd", runtime))).Concat(Paths(ExternalTool.Run("ldd", openSsl))).Distinct();
    }

    static IEnumerable<string> Paths(ToolResult listed) =>
        listed.MustSucceed().Split('\n', '\t', ' ').Where(word => word.StartsWith('/')).Select(word => word.TrimEnd(':'));

    static string Digest(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
}
