using System.Text;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.S3.Tests.Authentication;

/// <summary>Requests that were signed, and changed on their way: in all forms, none of them is taken.</summary>
public sealed class AlteredSignatureTests(ITestOutputHelper output)
{
    static readonly int PerForm = TestTier.Choose(500, 20_000);

    public static TheoryData<string> Forms => ["header", "presigned", "chunks", "chunks with trailer", "unsigned chunks", "form"];

    [Theory, MemberData(nameof(Forms))]
    public async Task No_request_that_was_changed_after_it_was_signed_is_taken(string form)
    {
        await using var rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        var seed = TestSeeds.First(nameof(No_request_that_was_changed_after_it_was_signed_is_taken) + form);
        var random = new SeededRandom(seed);
        var good = Sign(rig, form);
        Assert.InRange((await rig.SendAsync(good)).Status, 200, 204);
        await rig.RunAsync("DELETE", "/bucket/key");
        var before = await rig.DescribeAsync();
        for (var i = 0; i < PerForm; i++)
        {
            var (what, changed) = Alter(form, good, random);
            var response = await rig.SendAsync(changed);
            Assert.True(response.Status is >= 400 and < 500, $"seed {seed}, {i}: {what}: {response}");
            if (i % 50 == 0) Assert.True(before == await rig.DescribeAsync(), $"seed {seed}, {i}: {what} has changed something");
        }

        Assert.Equal(before, await rig.DescribeAsync());
        output.WriteLine($"{{\"line\":\"altered signatures\",\"form\":\"{form}\",\"seed\":{seed},\"refused\":{PerForm}}}");
    }

    static S3Call Sign(S3Rig rig, string form)
    {
        var content = Encoding.ASCII.GetBytes("some content that is not very long");
        var call = rig.Call("PUT", "/bucket/key").With("x-amz-meta-a", "value").With("content-type", "text/plain").Send(content);
        (string, string) checksum = ("x-amz-checksum-crc32", Convert.ToBase64String(RunningChecksum.Of(ChecksumAlgorithm.Crc32, content)));
        return form switch
        {
            "header" => rig.Owner.Sign(call),
            "presigned" => rig.Owner.Presign(call),
            "chunks" => rig.Owner.SignChunks(call, 10),
            "chunks with trailer" => rig.Owner.SignChunks(call, 10, checksum),
            "unsigned chunks" => rig.Owner.SignUnsignedChunks(call, 10, checksum),
            _ => TestForm.Of(rig, rig.Owner, "key", content),
        };
    }

    static (string What, S3Call Call) Alter(string form, S3Call call, SeededRandom random)
    {
        var isQuery = form == "presigned";
        if (form == "form") return ("the form", call with { Body = TestForm.Alter(call.Body, random) });
        switch (random.Next(form is "presigned" ? 7 : 9))
        {
            case 0:
                return ("the signature", isQuery ? InQuery(call, "X-Amz-Signature", Change) : InHeader(call, "Authorization", ChangeEnd));
            case 1:
                return ("the key", call with { Path = "/bucket/key" + (char)('a' + random.Next(26)) });
            case 2:
                return ("a parameter more", call.Ask("partNumber", "1"));
            case 3:
                return ("a header of S3 more", call.With("x-amz-acl", "private"));
            case 4:
                return ("a header that is signed", InHeader(call, random.OneIn(2) ? "x-amz-meta-a" : "content-type", Change));
            case 5:
                return ("the method", call with { Method = "DELETE", Body = [], HasLength = false });
            case 6:
                return isQuery
                    ? ("a parameter", InQuery(call, random.Pick(
                        ["X-Amz-Date", "X-Amz-Expires", "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Algorithm"]), Change))
                    : ("the date", InHeader(call, "x-amz-date", Change));
            case 7:
                return (
                    "the scope", InHeader(call, "Authorization", text => text.Replace("us-east-1", "us-east-2", StringComparison.Ordinal)));
            default:
                var body = call.Body.ToArray();
                // Behind the trailer's signature only line ends come, which may be any.
                var at = form == "header" ? random.Next(body.Length) : random.Next(body.Length / 2);
                body[at] ^= (byte)(1 << random.Next(5));
                return ($"the body at {at}", call with { Body = body });
        }

        string Change(string text)
        {
            var at = random.Next(text.Length);
            var changed = (char)(text[at] ^ (1 << random.Next(4)));
            // Of the values that are signed, white space at the ends is not.
            return changed is > ' ' and < '\x7f' && changed != text[at] ? text[..at] + changed + text[(at + 1)..] : text + "x";
        }

        string ChangeEnd(string text)
        {
            var at = text.Length - 64;
            return random.Next(4) switch
            {
                0 => text[..at] + Change(text[at..]),
                1 => text[..^1],
                2 => text + "0",
                _ => text[..at] + (text[at..].ToUpperInvariant() is var upper && upper != text[at..] ? upper : "x"),
            };
        }
    }

    static S3Call InHeader(S3Call call, string name, Func<string, string> change) => call.With(name, change(call.Header(name)!));

    static S3Call InQuery(S3Call call, string name, Func<string, string> change) =>
        call with { Query = [.. call.Query.Select(one => one.Name == name ? (name, change(one.Value)) : one)] };
}
