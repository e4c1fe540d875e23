import pytest
import torch
from torch import nn

from sklearn_ser.nn._memory import AdversarialNet, MemberLinear, MemberNet, MemoryNet, ViewLinear


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed))


def make_net(dropout=0.5, n_members=3, hidden=(8, 5)):
    torch.manual_seed(0)
    return MemoryNet(6, hidden, 4, 3, n_members, dropout)


@pytest.fixture(autouse=True)
def _global_generator_as_before():
    with torch.random.fork_rng(devices=[]):
        yield


class TestMemberLinear:
    def test_members_are_layers_of_their_own(self):
        layers = MemberLinear(3, 5, 2)
        x = normal(3, 7, 5)
        out = layers(x)
        assert out.shape == (3, 7, 2)
        for member in range(3):
            single = nn.Linear(5, 2)
            with torch.no_grad():
                single.weight.copy_(layers.weight[member].T)
                single.bias.copy_(layers.bias[member, 0])
            torch.testing.assert_close(out[member], single(x[member]))

    def test_a_member_has_the_gradient_of_a_layer_of_its_own(self):
        layers, x = MemberLinear(2, 5, 3), normal(2, 7, 5)
        single = nn.Linear(5, 3)
        with torch.no_grad():
            single.weight.copy_(layers.weight[1].T)
            single.bias.copy_(layers.bias[1, 0])
        layers(x)[1].square().sum().backward()
        single(x[1]).square().sum().backward()
        torch.testing.assert_close(layers.weight.grad[1], single.weight.grad.T)
        torch.testing.assert_close(layers.bias.grad[1, 0], single.bias.grad)
        assert (layers.weight.grad[0] == 0).all()

    def test_it_starts_as_linear_layers_of_torch_do(self):
        layers = MemberLinear(50, 16, 20)
        bound = 16**-0.5
        for drawn in (layers.weight, layers.bias):
            assert drawn.abs().max() <= bound
            assert drawn.abs().max() > 0.95 * bound
            assert drawn.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
        assert not torch.equal(layers.weight[0], layers.weight[1])


class TestViewLinear:
    def test_the_members_of_a_view_are_layers_on_its_columns(self):
        layer, x = ViewLinear(2, [(0, 3), (1, 2, 4)], 6), normal(7, 5)
        first, second = layer.parts
        expected = [x[:, [0, 3]] @ first.weight[m] + first.bias[m] for m in range(2)]
        expected += [x[:, [1, 2, 4]] @ second.weight[m] + second.bias[m] for m in range(2)]
        torch.testing.assert_close(layer(x), torch.stack(expected))

    def test_columns_are_not_stored_with_the_weights(self):
        assert set(ViewLinear(1, [(0,), (1,)], 2).state_dict()) == {
            "parts.0.weight",
            "parts.0.bias",
            "parts.1.weight",
            "parts.1.bias",
        }

    def test_a_net_with_views_has_members_of_each(self):
        torch.manual_seed(0)
        net = MemoryNet(5, (8,), 4, 3, 2, 0.0, views=[(0, 1), (2, 3, 4)])
        x = normal(9, 5)
        z = net.embed(x)
        assert z.shape == (4, 9, 4)
        assert net(x).shape == (4, 9, 3)
        x[:, 2:] = 0
        torch.testing.assert_close(net.embed(x)[:2], z[:2])
        assert (net.embed(x)[2:] != z[2:]).any()


class TestEmbedding:
    @pytest.mark.parametrize("dropped", [False, True])
    def test_rows_have_length_1(self, dropped):
        z = make_net().embed(normal(9, 6), generator() if dropped else None)
        assert z.shape == (3, 9, 4)
        torch.testing.assert_close(z.norm(dim=2), torch.ones(3, 9))

    def test_it_is_what_plain_layers_compute(self):
        net, x = make_net(), normal(9, 6)
        hidden = x.expand(3, 9, 6)
        for layer in list(net.encoder)[:-1]:
            hidden = layer(hidden).clamp_min(0)
        out = net.encoder[-1](hidden)
        z = out / out.norm(dim=2, keepdim=True)
        torch.testing.assert_close(net.embed(x), z)
        logits = 10 * z @ net.head.weight + net.head.bias
        torch.testing.assert_close(net(x), logits)
        torch.testing.assert_close(net.classify(net.embed(x)), logits)

    def test_without_a_hidden_layer_it_is_affine_but_for_the_length(self):
        net, x = make_net(hidden=()), normal(9, 6)
        (layer,) = net.encoder
        torch.testing.assert_close(
            net.embed(x), nn.functional.normalize(layer(x.expand(3, 9, 6)), dim=2)
        )
        # Only hidden units are dropped, and there are none.
        assert torch.equal(net.embed(x, generator()), net.embed(x))

    def test_a_row_does_not_depend_on_those_beside_it(self):
        net, x = make_net(), normal(9, 6)
        torch.testing.assert_close(net.embed(x)[:, 3:5], net.embed(x[3:5]))


class TestDropout:
    def test_all_its_numbers_come_from_the_given_generator(self):
        net, x = make_net(), normal(9, 6)
        before = torch.get_rng_state()
        first, second, other = (net.embed(x, generator(seed)) for seed in (1, 1, 2))
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(first, second)
        assert not torch.equal(first, other)

    def test_members_drop_units_of_their_own(self):
        net = make_net(n_members=2)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter[1] = parameter[0]
        x = normal(9, 6)
        assert torch.equal(*net.embed(x))
        assert not torch.equal(*net.embed(x, generator()))

    @pytest.mark.parametrize("training", [False, True])
    def test_none_without_a_generator(self, training):
        net, x = make_net().train(training), normal(9, 6)
        before = torch.get_rng_state()
        assert torch.equal(net.embed(x), net.embed(x))
        assert torch.equal(torch.get_rng_state(), before)

    def test_none_at_rate_0(self):
        net, x = make_net(dropout=0.0), normal(9, 6)
        drawing = generator()
        before = drawing.get_state()
        assert torch.equal(net.embed(x, drawing), net.embed(x))
        assert torch.equal(drawing.get_state(), before)

    def test_its_share_and_its_scale(self):
        # One hidden layer that passes ones on, and a last layer that passes hidden units on.
        net = MemoryNet(1, (2000,), 2000, 2, 1, 0.3)
        with torch.no_grad():
            net.encoder[0].weight.fill_(1)
            net.encoder[0].bias.fill_(0)
            net.encoder[1].weight.copy_(torch.eye(2000)[None])
            net.encoder[1].bias.fill_(0)
        z = net.embed(torch.ones(5, 1), generator())
        kept = z > 0
        assert kept.float().mean().item() == pytest.approx(0.7, abs=0.02)
        seen = []
        net.encoder[1].register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
        net.embed(torch.ones(5, 1), generator())
        torch.testing.assert_close(
            seen[0].unique(), torch.tensor([0.0, 1 / 0.7]), rtol=1e-6, atol=1e-6
        )


class TestWithoutSphere:
    def test_it_is_what_plain_layers_compute(self):
        torch.manual_seed(0)
        net, x = MemberNet(6, (8,), 4, 3, 2, 0.5), normal(9, 6)
        first, last = net.encoder
        z = last(first(x.expand(2, 9, 6)).clamp_min(0))
        torch.testing.assert_close(net.embed(x), z)
        torch.testing.assert_close(net(x), z @ net.head.weight + net.head.bias)
        assert not torch.equal(net.embed(x, generator()), z)

    def test_a_judge_answers_once_for_each_row_and_member(self):
        torch.manual_seed(0)
        net = AdversarialNet(
            n_features=6,
            hidden_layer_sizes=(8,),
            n_components=4,
            n_classes=3,
            n_members=2,
            dropout=0.0,
        )
        z = normal(2, 9, 4)
        hidden = z @ net.domain_hidden.weight + net.domain_hidden.bias
        normalise = torch.nn.BatchNorm1d(100, affine=False)
        hidden = torch.stack([normalise(one) for one in hidden]).clamp_min(0)
        expected = hidden @ net.domain_output.weight + net.domain_output.bias
        torch.testing.assert_close(net.judge(z), expected[..., 0])
