"""Puts the mel spectrogram before the voice encoder, and stores the weights as float16 (computed as float32)."""
import sys, numpy as np, librosa, onnx
from onnx import helper as h, numpy_helper as nh, TensorProto as T

N, HOP, BINS = 400, 160, 201
m = onnx.load(sys.argv[1]); g = m.graph
nodes, constants = [], []
def constant(name, value): constants.append(nh.from_array(value, name)); return name
def node(op, inputs, output, **attributes): nodes.append(h.make_node(op, inputs, [output], **attributes)); return output

for w in [w for w in g.initializer if w.data_type == T.FLOAT]:
    g.initializer.remove(w)
    node('Cast', [constant(w.name + '_half', nh.to_array(w).astype(np.float16))], w.name, to=T.FLOAT)

# Kernels of the Fourier transform, computed when the model is loaded: hann[n] · cos and sin of 2π k n ÷ 400.
phase = node('Mod', [node('Mul', [constant('k', np.arange(BINS)[:, None]), constant('n', np.arange(N)[None])], 'kn'), constant('N', np.array(N))], 'phase')
angle = node('Mul', [node('Cast', [phase], 'turns', to=T.FLOAT), constant('unit', np.float32(2 * np.pi / N))], 'angle')
both = node('Concat', [node('Cos', [angle], 'cos'), node('Sin', [angle], 'sin')], 'both', axis=0)
hann = constant('hann', (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N) / N)).astype(np.float32))
kernels = node('Unsqueeze', [node('Mul', [both, hann], 'windowed'), constant('one', np.array([1]))], 'kernels')

spectrum = node('Conv', [node('Unsqueeze', ['samples', 'one'], 'mono'), kernels], 'spectrum', strides=[HOP])
power = node('Mul', [spectrum, spectrum], 'squares')
filters = constant('filters', librosa.filters.mel(sr=16000, n_fft=N, n_mels=40).astype(np.float32))
bands = node('MatMul', [node('Concat', [filters, filters], 'filters2', axis=1), power], 'bands')
node('Transpose', [bands], 'mel', perm=[0, 2, 1])

rest = list(g.node); del g.node[:]; g.node.extend(nodes + rest); g.initializer.extend(constants)
del g.input[:]; g.input.append(h.make_tensor_value_info('samples', T.FLOAT, ['n', 't']))
m.doc_string = 'Voice encoder of Resemblyzer 0.1.4 (Apache-2.0) with its mel spectrogram; weights as float16'
onnx.checker.check_model(m, full_check=True); onnx.save(m, sys.argv[2])
