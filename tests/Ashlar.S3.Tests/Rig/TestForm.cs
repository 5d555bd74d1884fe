using System.Text;
using Ashlar.Simulation;

namespace Ashlar.S3.Tests;

/// <summary>Forms as browsers send them.</summary>
static class TestForm
{
    const string Boundary = "----boundary7d93b2";

    /// <summary>A form with a policy that allows it.</summary>
    public static S3Call Of(S3Rig rig, TestSigner signer, string key, byte[] content) => Of(
        rig, signer,
        Policy(rig, """{"bucket":"bucket"},["starts-with","$key",""],["starts-with","$x-amz-meta-a",""],["content-length-range",0,1000]"""),
        content, ("key", key), ("x-amz-meta-a", "value"));

    public static string Policy(S3Rig rig, string conditions, int minutes = 10) =>
        $$"""{"expiration":"{{rig.Clock.GetUtcNow().AddMinutes(
            minutes):yyyy-MM-dd'T'HH:mm:ss'Z'}}","conditions":[{{conditions}},{{Signed}}]}""";

    const string Signed =
        """["starts-with","$x-amz-algorithm",""],["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""]""";

    public static S3Call Of(S3Rig rig, TestSigner signer, string? policy, byte[] content, params (string Name, string Value)[] fields)
    {
        var all = fields.Concat(policy is null ? [] : signer.SignForm(policy).Select(field => (Name: field.Key, field.Value)));
        return rig.Call("POST", "/bucket").With("Content-Type", $"multipart/form-data; boundary={Boundary}").Send(Encode(all, content));
    }

    public static byte[] Encode(IEnumerable<(string Name, string Value)> fields, byte[] content)
    {
        var body = new MemoryStream();
        foreach (var (name, value) in fields)
            body.Write(Encoding.UTF8.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        body.Write(Encoding.UTF8.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"));
        body.Write(content);
        body.Write(Encoding.UTF8.GetBytes($"\r\n--{Boundary}--\r\n"));
        return body.ToArray();
    }

    /// <summary>Changes a letter of the policy or of its signature.</summary>
    public static byte[] Alter(byte[] body, SeededRandom random)
    {
        var text = Encoding.ASCII.GetString(body);
        var name = random.Pick(["policy", "x-amz-signature", "x-amz-credential", "x-amz-date", "x-amz-algorithm"]);
        var begin = text.IndexOf($"name=\"{name}\"\r\n\r\n", StringComparison.Ordinal) + $"name=\"{name}\"\r\n\r\n".Length;
        var end = text.IndexOf("\r\n", begin, StringComparison.Ordinal);
        var at = random.Next(begin, end);
        var changed = text[at] == 'x' ? 'y' : 'x';
        return Encoding.ASCII.GetBytes(text[..at] + changed + text[(at + 1)..]);
    }
}
